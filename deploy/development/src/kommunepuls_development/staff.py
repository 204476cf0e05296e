"""An editor and an organiser of the demo town, so that a newcomer can try both sides."""

import httpx

TOWN = "NO-9901"
MEMBERS = {
    "redaktor@fjordvik.example": {"name": "Eva Redaktør", "roles": ["editor"]},
    "fotball@fjordvik.example": {
        "name": "Mari Fotball",
        "roles": ["organiser"],
        "organisers": [f"{TOWN}/fjordvik-fotball"],
    },
}
"""By address; the mails with their links arrive in the outbox."""


async def invite_staff(gateway: str, token: str) -> int:
    """Take them in through the operator's API, each once; returns how many are new."""
    headers = {"Authorization": f"Bearer {token}"}
    async with httpx.AsyncClient(base_url=gateway, timeout=30, headers=headers) as client:
        answer = await client.get("/api/v1/operator/staff", params={"municipality": TOWN})
        answer.raise_for_status()
        there = {member["name"] for member in answer.json()["members"]}
        new = [(address, one) for address, one in MEMBERS.items() if one["name"] not in there]
        for address, member in new:
            asked = {"municipality": TOWN, "address": address, "language": "nb"} | member
            (await client.post("/api/v1/operator/staff", json=asked)).raise_for_status()
    return len(new)
