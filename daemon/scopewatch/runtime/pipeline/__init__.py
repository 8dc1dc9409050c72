"""From the inbox to the committed result: inbox, worker, and the steps of a frame."""
