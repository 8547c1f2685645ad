"""EC2: VPC endpoints and their policies, by which what pods ask of AWS passes; no more of EC2."""
