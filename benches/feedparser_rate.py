"""The rate of feedparser on a folder of feeds, for the table in docs/feeds.md.

    pip install feedparser chardet
    python3 benches/feedparser_rate.py FOLDER
"""
import pathlib
import sys
import time

import feedparser

documents = [path.read_bytes() for path in sorted(pathlib.Path(sys.argv[1]).iterdir())]
n_bytes = sum(map(len, documents))
best = float("inf")
for _ in range(3):
    start = time.process_time()
    for document in documents:
        feedparser.parse(document)
    best = min(best, time.process_time() - start)
print(f"feedparser {feedparser.__version__}: {len(documents)} documents, {n_bytes / best / 1e6:.2f} MB/s")
