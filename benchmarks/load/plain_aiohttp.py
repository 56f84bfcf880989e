"""The peer: a bare aiohttp loop, 64 in flight, no records kept."""

import asyncio
import os
import sys
import time

import aiohttp

LIMIT = int(os.environ["BENCH_REQUESTS"])
BODY = {"brief": "x" * 300}


async def main(url):
    counter = iter(range(LIMIT))
    latencies = []

    async def user(session):
        for _ in counter:
            sent = time.perf_counter_ns()
            async with session.post(f"{url}/assist/draft-graph", json=BODY) as response:
                await response.read()
            latencies.append(time.perf_counter_ns() - sent)

    connector = aiohttp.TCPConnector(limit=64)
    async with aiohttp.ClientSession(connector=connector) as session:
        await asyncio.gather(*(user(session) for _ in range(64)))
    print(f"BENCH {len(latencies)} 0", flush=True)


asyncio.run(main(sys.argv[1]))
