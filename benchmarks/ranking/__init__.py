"""What the choice of a base is worth: models, data sets, and what each model reaches on each."""
