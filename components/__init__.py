"""What is declared: one capability a file. Knows Pulumi, not the cloud's API and not the machine it runs on."""
