"""A certificate that AWS issues and renews, validated by a record in a zone of Route 53."""

from __future__ import annotations

import pulumi
import pulumi_aws as aws


def create_certificate(name: str, domain_name: str, zone_id: str, opts: pulumi.ResourceOptions) -> pulumi.Output[str]:
    """The ARN of a certificate for ``domain_name``, known once it is issued: a listener takes none before."""
    certificate = aws.acm.Certificate(
        f"{name}-certificate", domain_name=domain_name, validation_method="DNS", tags={"Name": domain_name}, opts=opts
    )
    proof = certificate.domain_validation_options[0]
    record = aws.route53.Record(
        f"{name}-certificate-record",
        zone_id=zone_id,
        name=proof.resource_record_name,
        type=proof.resource_record_type,
        records=[proof.resource_record_value],
        ttl=300,
        allow_overwrite=True,  # another stack's certificate for the same name is proved by the same record
        opts=opts,
    )
    issued = aws.acm.CertificateValidation(
        f"{name}-certificate-issued",
        certificate_arn=certificate.arn,
        validation_record_fqdns=[record.fqdn],
        opts=opts,
    )
    return issued.certificate_arn
