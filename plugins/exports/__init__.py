"""What adapted models can be written as: one file a form."""
