"""Outside sources of literature and data: arXiv, PubMed, Wikipedia, PubChem, Tavily."""
