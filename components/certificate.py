"""A certificate that AWS issues and renews, validated by a record in a zone of Route 53."""

from __future__ import annotations

from dataclasses import dataclass

import pulumi
import pulumi_aws as aws


@dataclass(frozen=True)
class IssuedCertificate:
    """``arn``: known once it is issued; ``proof_fqdn``: the record that proves its name."""

    arn: pulumi.Output[str]
    proof_fqdn: pulumi.Input[str]


def create_certificate(
    name: str,
    domain_name: str,
    zone_id: str,
    opts: pulumi.ResourceOptions,
    proof_fqdn: pulumi.Input[str] | None = None,
) -> IssuedCertificate:
    """A certificate for ``domain_name``, which a listener takes only once it is issued.

    ``proof_fqdn``: the record of a certificate for the same name in another region, which proves this one too: ACM asks
    an account for one record a name. A second resource for the record would take it from the first when it goes.
    """
    certificate = aws.acm.Certificate(
        f"{name}-certificate", domain_name=domain_name, validation_method="DNS", tags={"Name": domain_name}, opts=opts
    )
    proof = proof_fqdn or _create_proof(name, zone_id, certificate, opts)
    issued = aws.acm.CertificateValidation(
        f"{name}-certificate-issued",
        certificate_arn=certificate.arn,
        validation_record_fqdns=[proof],
        opts=opts,
    )
    return IssuedCertificate(issued.certificate_arn, proof)


def _create_proof(
    name: str, zone_id: str, certificate: aws.acm.Certificate, opts: pulumi.ResourceOptions
) -> pulumi.Output[str]:
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
    return record.fqdn
