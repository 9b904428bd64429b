"""A program on a terminal of its own: keys go in, and the screen is what a terminal shows of what comes out."""

import fcntl
import os
import pty
import select
import signal
import struct
import subprocess
import termios
import time

import pyte

WAIT_S = 30


class Terminal:
    def __init__(self, command, columns=120, lines=24, **environment):
        self.screen = pyte.Screen(columns, lines)
        self.stream = pyte.ByteStream(self.screen)
        self.raw = b""
        self.ours, theirs = pty.openpty()
        self.set_size(columns, lines)
        self.process = subprocess.Popen(command, stdin=theirs, stdout=theirs, stderr=theirs, start_new_session=True,
                                        env={**os.environ, "TERM": "xterm", "LC_ALL": "C.UTF-8", **environment},
                                        preexec_fn=lambda: fcntl.ioctl(0, termios.TIOCSCTTY, 0))
        os.close(theirs)

    def set_size(self, columns, lines):
        fcntl.ioctl(self.ours, termios.TIOCSWINSZ, struct.pack("HHHH", lines, columns, 0, 0))

    def resize(self, columns, lines):
        self.screen.resize(lines, columns)
        self.set_size(columns, lines)
        os.kill(self.process.pid, signal.SIGWINCH)

    def type(self, text):
        os.write(self.ours, text.encode())

    def read(self):
        """Takes what has come; false at the end."""
        if not select.select([self.ours], [], [], 0.05)[0]:
            return True
        try:
            data = os.read(self.ours, 65536)
        except OSError:
            return False
        self.raw += data
        self.stream.feed(data)
        return bool(data)

    def wait_for(self, what, condition):
        until = time.monotonic() + WAIT_S
        while time.monotonic() < until:
            found = condition(self.screen.display)
            if found:
                return found
            if not self.read():
                break
        raise AssertionError(f"waited for {what}:\n" + "\n".join(self.screen.display))

    def line(self, *words):
        """Waits for a line that has all the words."""
        return self.wait_for(words, lambda lines: next((l for l in lines if all(w in l for w in words)), None))

    def end(self):
        """The exit status of a program that is to end."""
        until = time.monotonic() + WAIT_S
        while self.read() and time.monotonic() < until:
            pass
        status = self.process.wait(timeout=WAIT_S)
        os.close(self.ours)
        return status
