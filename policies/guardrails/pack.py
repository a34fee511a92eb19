"""All policies, in one list."""

from pulumi_policy import ResourceValidationPolicy, StackValidationPolicy

from .api import routes, stages
from .cluster import control_plane, cost, gpus, nodes
from .functions import running, secrets_in_environment
from .identity import roles
from .messaging import access, queues
from .network import doors, groups
from .storage import buckets, keeping, tables
from .tagging import required_tags
from .workloads import gpu_workers, hardening, isolation, scaling

Policy = ResourceValidationPolicy | StackValidationPolicy

POLICIES: list[Policy] = [
    buckets.buckets_are_closed,
    buckets.buckets_are_encrypted,
    buckets.buckets_refuse_plain_http,
    buckets.buckets_own_their_objects,
    buckets.objects_expire,
    buckets.buckets_with_objects_stay,
    queues.queues_are_encrypted,
    queues.queues_have_dead_letters,
    queues.messages_live_long_enough,
    queues.messages_stay_hidden,
    queues.queues_are_polled_long,
    access.messages_travel_safely,
    tables.tables_can_be_restored,
    tables.tables_refuse_deletion,
    tables.tables_are_encrypted,
    tables.requests_are_forgotten,
    running.runtimes_are_maintained,
    running.functions_run_on_arm,
    running.concurrency_is_bounded,
    running.functions_log_for_a_time,
    secrets_in_environment.environments_hold_no_secrets,
    running.urls_want_signatures,
    roles.permissions_are_named,
    roles.roles_trust_few,
    roles.nobody_is_almighty,
    groups.world_stays_outside,
    groups.default_groups_are_locked,
    control_plane.endpoint_is_closed,
    control_plane.secrets_are_encrypted,
    control_plane.control_plane_is_logged,
    control_plane.entries_decide_who_enters,
    control_plane.version_is_supported,
    nodes.credentials_stay_on_the_node,
    nodes.disks_are_encrypted,
    gpus.gpu_nodes_are_kept_apart,
    cost.cost_is_bounded,
    nodes.machines_are_chosen,
    stages.calls_are_logged,
    stages.calls_are_limited,
    routes.callers_are_known,
    doors.tls_is_modern,
    hardening.images_are_named_by_digest,
    hardening.pods_are_hardened,
    gpu_workers.gpu_workers_are_cared_for,
    hardening.pods_stay_off_the_host,
    isolation.namespaces_are_closed,
    scaling.workers_scale_well,
    keeping.keys_are_rotated,
    keeping.secrets_are_rotated,
    keeping.images_are_fixed_and_scanned,
    keeping.logs_are_forgotten,
    doors.balancers_refuse_deletion,
    required_tags,
    keeping.data_is_protected,
]
