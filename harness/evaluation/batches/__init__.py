"""The providers' batch APIs: filled, waited for, recorded, resumed."""
