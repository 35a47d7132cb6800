"""What models cost by a public price list that comes as a package."""
