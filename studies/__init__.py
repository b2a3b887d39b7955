"""What a page cannot afford to run: many seeds, long budgets, swept settings.

Each module here is one study. It says in ``SETTINGS`` which runs there are, a dict of settings
each, and in ``run(**setting)`` what one of them measures, a dict of numbers. ``python -m studies``
runs what is not there yet, and keeps every result as soon as it has it, so that it may be stopped
at any time. A study that says ``DOWNLOADS = True`` needs files from the internet, and runs only
when it is named.
"""
