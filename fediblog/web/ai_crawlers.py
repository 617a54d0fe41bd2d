"""Who collects texts and pictures to train AI, by the names that they look for in robots.txt.

Not here is who fetches a page to find it again, or to show it to somebody who asks, with a link to it. Taken from what
the operators write, and from the list that ai.robots.txt keeps; a name that nobody uses any more does no harm.
"""

from __future__ import annotations

TRAINING = (
    *("AI2Bot", "Ai2Bot-Dolma", "anthropic-ai", "Applebot-Extended", "Brightbot", "Bytespider", "CCBot"),
    *("ChatGLM-Spider", "ClaudeBot", "cohere-training-data-crawler", "Cotoyogi", "DeepSeekBot", "FacebookBot"),
    *("FriendlyCrawler", "Google-Extended", "GPTBot", "ICC-Crawler", "img2dataset", "ISSCyberRiskCrawler"),
    *("laion-huggingface-processor", "LAIONDownloader", "Meta-ExternalAgent", "MyCentralAIScraperBot", "omgili"),
    *("PanguBot", "Sidetrade indexer bot", "TikTokSpider", "Timpibot", "VelenPublicWebCrawler", "Webzio-Extended"),
    "YandexAdditional",
)
