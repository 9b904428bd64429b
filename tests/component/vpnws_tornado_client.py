"""A client as Python's users of vpn-ws have it, with tornado: a frame in each message. Arguments: interface, URL."""

import asyncio
import fcntl
import os
import struct
import sys

from tornado.ioloop import IOLoop
from tornado.websocket import websocket_connect

name, url = sys.argv[1:]
tap = os.open("/dev/net/tun", os.O_RDWR)
fcntl.ioctl(tap, 0x400454ca, struct.pack("16sH22x", name.encode(), 0x1002))  # IFF_TAP | IFF_NO_PI


async def main():
    connection = await websocket_connect(url)
    IOLoop.current().add_handler(
        tap, lambda fd, events: connection.write_message(os.read(tap, 1500), binary=True), IOLoop.READ)
    while (frame := await connection.read_message()) is not None:
        os.write(tap, frame)

asyncio.run(main())
