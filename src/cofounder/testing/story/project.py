"""What is built: a bill splitter whose shares add up to the cent, with tests and a page."""

MODULE = "fair_share.py"
TESTS = "test_fair_share.py"
PAGE = "index.html"
README = "README.md"

# The first draft loses cents to rounding; its tests say so, and the agent mends it.
DRAFT = '''\
"""Split a bill so that the shares add up to the cent."""


def shares(total_cents: int, people: int, tip_pct: int = 0) -> list[int]:
    """What each person pays, in cents."""
    if people < 1:
        raise ValueError("at least one person has to pay")
    with_tip = round(total_cents * (100 + tip_pct) / 100)
    return [with_tip // people] * people
'''

BROKEN_LINE = "    return [with_tip // people] * people\n"
MENDED_LINES = """\
    each, odd_cents = divmod(with_tip, people)
    return [each + (index < odd_cents) for index in range(people)]
"""

TEST_CODE = """\
import unittest

from fair_share import shares


class Shares(unittest.TestCase):
    def test_even_bill(self):
        self.assertEqual(shares(9000, 3), [3000, 3000, 3000])

    def test_no_cent_is_lost(self):
        for people in range(1, 12):
            self.assertEqual(sum(shares(10000, people)), 10000)

    def test_tip_is_added_before_the_split(self):
        self.assertEqual(sum(shares(10000, 3, tip_pct=10)), 11000)

    def test_nobody_pays(self):
        with self.assertRaises(ValueError):
            shares(100, 0)


if __name__ == "__main__":
    unittest.main()
"""

PAYER_TEST = """\

class OddCents(unittest.TestCase):
    def test_the_one_who_paid_takes_them(self):
        self.assertEqual(shares(10000, 3, payer=2), [3333, 3333, 3334])
"""

FIRST_TEST = """\

class OddCents(unittest.TestCase):
    def test_the_first_ones_take_them(self):
        self.assertEqual(shares(10001, 3), [3334, 3334, 3333])
"""

PAYER_LINES = """\
    each, odd_cents = divmod(with_tip, people)
    return [each + (odd_cents if index == payer else 0) for index in range(people)]
"""

HTML = """\
<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>Fair share</title>
<style>
  body { font: 18px/1.5 system-ui, sans-serif; max-width: 26rem; margin: 3rem auto; }
  label { display: grid; gap: .2rem; margin-bottom: 1rem; }
  input { font: inherit; padding: .4rem .6rem; border: 1px solid #888; border-radius: .4rem; }
  output { display: block; font-size: 1.6rem; font-weight: 600; }
</style>
<h1>Fair share</h1>
<label>Bill in euros <input id="total" type="number" min="0" step="0.01" value="100"></label>
<label>People <input id="people" type="number" min="1" value="3"></label>
<label>Tip in percent <input id="tip" type="number" min="0" value="10"></label>
<output id="shares"></output>
<script>
  const field = (id) => Number(document.getElementById(id).value);
  function show() {
    const people = Math.max(1, Math.floor(field("people")));
    const cents = Math.round(field("total") * (100 + field("tip")));
    const odd = cents % people, each = Math.floor(cents / people);
    const euro = (value) => (value / 100).toFixed(2) + " €";
    document.getElementById("shares").textContent =
      odd ? `${euro(each)} each, ${odd} ct left over` : `${euro(each)} each`;
  }
  document.querySelectorAll("input").forEach((input) => input.addEventListener("input", show));
  show();
</script>
</html>
"""

README_TEXT = """\
# Fair share

Splits a bill so that the shares add up to the cent.

- `python3 -m unittest` runs the tests.
- `index.html` is the page; open it in a browser.
"""

FILES = (MODULE, TESTS, PAGE, README)
