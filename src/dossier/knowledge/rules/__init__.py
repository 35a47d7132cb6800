"""Pure rules of knowledge: analysing, weighing and cutting texts."""
