"""What every test of processes does: wait for what will be so, and say why it is skipped."""

import time
import unittest


class PatientTest(unittest.TestCase):
    PATIENCE_SECONDS = 60

    def skipTest(self, reason):
        """Says why where the summary of ./dev test looks."""
        print(f"{self.id()}: Skipped\n{reason}\n", flush=True)
        super().skipTest(reason)

    def until(self, ask, good):
        """What ask() gives once good() is true of it: what observers read is a second old, or more on a busy machine."""
        end = time.monotonic() + self.PATIENCE_SECONDS
        while True:
            answer = ask()
            if good(answer):
                return answer
            self.assertLess(time.monotonic(), end, answer)
