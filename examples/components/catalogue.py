"""A table of all runs of etl for Athena, over rows that lie in a bucket of one's own."""

import pulumi
import pulumi_aws as aws

from components.catalogue import Catalogue, CatalogueArgs

bucket = aws.s3.Bucket("corpora")

catalogue = Catalogue("catalogue", CatalogueArgs(name="research", bucket_name=bucket.bucket, prefix="catalogue/"))

# select output, statistics.tokens from research.runs
pulumi.export("table", pulumi.Output.concat(catalogue.database_name, ".", catalogue.table_name))
pulumi.export("location_url", catalogue.location_url)
