"""The data products, one module a layer: raw, core, measurement, analysis, edition.

Each asset is thin: read, call a source, a method or a report, record rows and coverage. Checks and wiring are in
`pipelines`.
"""
