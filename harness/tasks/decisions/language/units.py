"""Units of figures: currencies, scales and durations, and the patterns that find them (case ignored)."""

from decimal import Decimal

CURRENCIES = {
    "$": "$", "us$": "USD", "usd": "USD", "a$": "AUD", "aud": "AUD", "c$": "CAD", "cad": "CAD", "nz$": "NZD",
    "€": "EUR", "eur": "EUR", "£": "GBP", "gbp": "GBP", "¥": "JPY", "jpy": "JPY", "₹": "INR", "inr": "INR",
    "rs": "INR", "chf": "CHF", "sek": "SEK", "nok": "NOK", "dkk": "DKK", "kr": "kr", "zar": "ZAR",
    "r$": "BRL", "sgd": "SGD", "s$": "SGD", "kes": "KES", "ksh": "KES", "dollar": "$", "dollars": "$",
    "bucks": "$", "euro": "EUR", "euros": "EUR", "pound": "GBP", "pounds": "GBP", "cent": None,
    "cents": None, "pence": "GBP", "rupees": "INR", "francs": "CHF", "yen": "JPY",
}  # fmt: skip
"""Currency marks; `$` and `kr` are shared by several currencies, a cent by more."""

SHARED_MARKS = {"$": frozenset(("USD", "AUD", "CAD", "NZD", "SGD")), "kr": frozenset(("SEK", "NOK", "DKK"))}
"""Marks that stand for any of several currency codes."""

HUNDREDTHS = frozenset(("cent", "cents", "pence"))
"""Marks of a hundredth of the currency."""

SCALES = {
    "hundred": 100, "k": 1000, "thousand": 1000, "m": 10**6, "mn": 10**6, "million": 10**6, "bn": 10**9,
    "b": 10**9, "billion": 10**9, "lakh": 10**5, "crore": 10**7,
}  # fmt: skip
"""By how much a word or letter after a number multiplies it."""

DURATIONS: dict[str, tuple[str, Decimal]] = {
    name: (base, Decimal(factor))
    for names, base, factor in (
        ("ms millisecond milliseconds", "second", "0.001"),
        ("second seconds sec secs s", "second", "1"),
        ("minute minutes min mins", "second", "60"),
        ("hour hours hr hrs h", "second", "3600"),
        ("day days", "day", "1"),
        ("week weeks wk wks", "day", "7"),
        ("fortnight fortnights", "day", "14"),
        ("month months mo", "month", "1"),
        ("quarter quarters", "month", "3"),
        ("year years yr yrs", "month", "12"),
        ("decade decades", "month", "120"),
    )
    for name in names.split()
}
"""Base unit and factor by word; seconds, days and months do not convert into each other."""

PERCENTS = r"%|percent\b|per\s?cent\b|pct\b|percentage points?\b|pp\b"

DIGITS = r"\d{1,3}(?:[,'\u2019\u00a0\u202f]\d{3})+(?:\.\d+)?|\d+(?:\.\d+)?"
PREFIX = (
    r"(?:(?:\bus|\ba|\bc|\bnz|\bs|\br)?\$|[€£¥₹]"
    r"|\b(?:usd|eur|gbp|chf|aud|cad|inr|rs\.?|sek|nok|dkk|sgd|zar|kes|ksh|jpy))"
)
SUFFIX = (
    r"(?:dollars?|bucks|euros?|pounds?|cents?|pence|rupees|francs|yen"
    r"|usd|eur|gbp|chf|aud|cad|sek|nok|dkk|kr)\b|€"
)
