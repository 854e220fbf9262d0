"""What a run found out about its documents: from outcomes to ``core.knowledge.DocumentsResult``.

``findings.findings`` fills it at the end of a run; ``ages.age_of`` tells old from new knowledge before it starts.
"""
