"""A domain name for the API, with its certificate and its records."""

from dataclasses import dataclass

import pulumi
import pulumi_aws as aws

from infra.settings.api.domain import DomainSettings

_SECURITY_POLICY = "TLS_1_2"


@dataclass(frozen=True, kw_only=True)
class ApiDomainArgs:
    """What a domain needs to know."""

    settings: DomainSettings
    rest_api: pulumi.Input[str]
    stage_name: pulumi.Input[str]


class ApiDomain(pulumi.ComponentResource):
    """The API under a name of yours, and under every name one label below it.

    Nothing stands before the paths: callers see no stage, and a host such as `model-<id>.<name>`
    reaches the functions as the caller wrote it.
    """

    url: pulumi.Output[str]

    def __init__(
        self, name: str, args: ApiDomainArgs, opts: pulumi.ResourceOptions | None = None
    ) -> None:
        super().__init__("penstock:network:ApiDomain", name, {}, opts)
        self._name, self._args = name, args
        self._child = pulumi.ResourceOptions(parent=self)
        certificate = args.settings.certificate_arn or self._certificate()
        names = [
            self._answer_at(host, word, certificate) for word, host in args.settings.hosts.items()
        ]
        self.url = pulumi.Output.concat("https://", names[0])
        self.register_outputs({"url": self.url})

    def _certificate(self) -> pulumi.Output[str]:
        settings = self._args.settings
        certificate = aws.acm.Certificate(
            f"{self._name}-certificate",
            domain_name=settings.name,
            subject_alternative_names=list(settings.hosts.values())[1:],
            validation_method="DNS",
            opts=self._child,
        )
        # ACM asks for the same record for `<name>` and for `*.<name>`.
        proof = certificate.domain_validation_options[0]
        record = aws.route53.Record(
            f"{self._name}-proof",
            zone_id=settings.hosted_zone,
            name=proof.resource_record_name,
            type=proof.resource_record_type,
            records=[proof.resource_record_value],
            ttl=300,
            opts=self._child,
        )
        return aws.acm.CertificateValidation(
            f"{self._name}-validation",
            certificate_arn=certificate.arn,
            validation_record_fqdns=[record.fqdn],
            opts=self._child,
        ).certificate_arn

    def _answer_at(
        self, host: str, word: str, certificate: pulumi.Input[str]
    ) -> pulumi.Output[str]:
        domain = aws.apigateway.DomainName(
            f"{self._name}-{word}",
            domain_name=host,
            regional_certificate_arn=certificate,
            endpoint_configuration={"types": "REGIONAL"},
            security_policy=_SECURITY_POLICY,
            opts=self._child,
        )
        aws.apigateway.BasePathMapping(
            f"{self._name}-{word}-mapping",
            rest_api=self._args.rest_api,
            stage_name=self._args.stage_name,
            domain_name=domain.domain_name,
            opts=self._child,
        )
        aws.route53.Record(
            f"{self._name}-{word}-address",
            zone_id=self._args.settings.hosted_zone,
            name=host,
            type="A",
            aliases=[
                {
                    "name": domain.regional_domain_name,
                    "zone_id": domain.regional_zone_id,
                    "evaluate_target_health": False,
                }
            ],
            opts=self._child,
        )
        return domain.domain_name
