"""The campaign: proposes candidates, has them evaluated and stores every result."""

from invdesign.campaign.campaign import Campaign
from invdesign.campaign.execution.executor import WorkerPool
from invdesign.campaign.status import Status

__all__ = ["Campaign", "Status", "WorkerPool"]
