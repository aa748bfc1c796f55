"""What can be done.

A whole plugin is a module with functions marked `hubtl.hookimpl`:

    import hubtl

    class Shelf:
        name = "shelf"

        def search(self, query):
            return [hubtl.Entry("acme/tiny", "shelf", tasks=("text-classification",))]

    @hubtl.hookimpl
    def register_hubs():
        return [Shelf()]

and two lines that let hubtl find it once it is installed:

    [project.entry-points.hubtl]
    shelf = "hubtl_shelf"
"""
