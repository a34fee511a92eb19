"""A dispatcher's environment in which only what a test cares for has a meaning."""

from penstock.contracts.environments import DispatcherEnvironment


def environment(**values: object) -> DispatcherEnvironment:
    required = {
        name: "x"
        for name, described in DispatcherEnvironment.model_fields.items()
        if described.is_required()
    }
    return DispatcherEnvironment.model_validate(required | values)
