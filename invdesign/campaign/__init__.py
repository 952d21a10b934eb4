"""A campaign: what was asked, what was answered, and what comes next."""

from invdesign.campaign.campaign import Campaign, Status
from invdesign.campaign.executor import WorkerPool

__all__ = ["Campaign", "Status", "WorkerPool"]
