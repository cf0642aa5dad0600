"""The listener for Attio's deliveries, their signature, and the subscription."""
