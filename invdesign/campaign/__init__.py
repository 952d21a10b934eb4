"""A campaign: what was asked, what was answered, and what comes next."""

from invdesign.campaign.campaign import Campaign
from invdesign.campaign.execution.executor import WorkerPool
from invdesign.campaign.status import Status

__all__ = ["Campaign", "Status", "WorkerPool"]
