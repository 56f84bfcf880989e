"""Alert rules as data: evaluated on the store, shown, exported."""

from harness.alerts.check import CheckReport, ShownState, check_alerts, current_states
from harness.alerts.evaluate import RuleState, evaluate, series
from harness.alerts.rule import Rule, Scope
from harness.alerts.rule_file import RuleSet, load_rules
from harness.alerts.transitions import backtest
from harness.alerts.webhook import WEBHOOK_VARIABLE, Webhook

__all__ = [
    "WEBHOOK_VARIABLE",
    "CheckReport",
    "Rule",
    "RuleSet",
    "RuleState",
    "Scope",
    "ShownState",
    "Webhook",
    "backtest",
    "check_alerts",
    "current_states",
    "evaluate",
    "load_rules",
    "series",
]
