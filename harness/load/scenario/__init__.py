"""Scenarios as files: what is asked of a service, how its answer is read, what it costs.

A file is read once (`reader`), by pydantic at the edge (`spec`), into what the load needs (`model`):

    places.py      where in an answer something stands: a JSON pointer, a header, an event of a stream
    templates.py   bodies, paths, queries and headers with places for a case's columns
    conditions.py  what makes an answer a good one, and a poll done
    shipped.py     the scenarios that ship, by name
    curl.py        a first file from a curl command
    recognise.py   usual places, found in an answer
"""
