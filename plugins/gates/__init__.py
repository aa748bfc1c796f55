"""What must hold before an adapter is published: one file a question, each a `before_publish`."""
