import pytest
from ingest_facebook.domain.attachments import direct, links_of, parts_of, pictures_of
from ingest_facebook.domain.graph_objects import Post, read_post


def post(**fields: object) -> Post:
    return read_post({"id": "100_1"} | fields)


def picture(name: str, *, host: str = "a", signed: str = "1", **rest: object) -> dict:
    source = f"https://scontent-{host}.xx.fbcdn.net/v/t39/{name}?oh={signed}&oe=FF"
    return {"media": {"image": {"src": source, "width": 720, "height": 480}}, "type": "photo"} | rest


def test_a_redirect_of_facebooks_is_replaced_by_where_it_leads() -> None:
    shim = "https://l.facebook.com/l.php?u=https%3A%2F%2Ffjordvik.example%2Fa%3Fb%3D1%26fbclid%3Dxyz&h=AT0"

    assert direct(shim) == "https://fjordvik.example/a?b=1"


@pytest.mark.parametrize(
    "address",
    [
        "https://fjordvik.example/å?x=%20",
        "https://l.facebook.com/l.php?h=1",
        "http://[broken",
        "https://l.facebook.com.evil.example/l.php?u=https%3A%2F%2Fx",
    ],
)
def test_other_addresses_stay_as_they_are(address: str) -> None:
    assert direct(address) == address


def test_the_real_link_is_taken_and_not_the_redirect() -> None:
    shared = {
        "title": "Program", "type": "share", "url": "https://l.facebook.com/l.php?u=https%3A%2F%2Fx.example",
        "unshimmed_url": "https://fjordvik.example/program",
    }  # fmt: skip
    one = post(permalink_url="https://www.facebook.com/100/posts/1", attachments={"data": [shared]})

    assert [str(link.url) for link in links_of(one, parts_of(one))] == [
        "https://www.facebook.com/100/posts/1",
        "https://fjordvik.example/program",
    ]


def test_an_albums_pictures_are_found_one_level_deeper_and_each_once() -> None:
    album = picture(
        "a.jpg", subattachments={"data": [picture("a.jpg", signed="2"), picture("b.jpg")]}, type="album"
    )
    one = post(attachments={"data": [album]}, full_picture="https://scontent-b.xx.fbcdn.net/v/a.jpg?oh=3")

    found = pictures_of(one, parts_of(one))

    assert [str(part.url).split("?")[0][-5:] for part in found] == ["a.jpg", "b.jpg"]
    assert (found[0].width, found[0].height) == (720, 480)


def test_a_carousel_of_an_older_version_gives_its_links() -> None:
    cards = [
        {"name": "Kart", "link": "https://fjordvik.example/1"},
        {"name": "Tider", "link": "https://fjordvik.example/2"},
    ]
    one = post(child_attachments=cards)

    assert [link.title for link in links_of(one, parts_of(one))] == ["Kart", "Tider"]


def test_a_description_of_a_picture_is_its_alternative_text_unless_it_repeats_the_message() -> None:
    described = post(message="Ny lekeplass", attachments=[picture("a.jpg", description="Barn på en huske")])
    repeated = post(message="Ny lekeplass", attachments=[picture("a.jpg", description="Ny lekeplass")])

    assert pictures_of(described, parts_of(described))[0].alternative_text == "Barn på en huske"
    assert pictures_of(repeated, parts_of(repeated))[0].alternative_text == ""


def test_the_picture_inside_facebooks_proxy_is_taken() -> None:
    proxy = "https://external.xx.fbcdn.net/safe_image.php?d=AQ&url=https%3A%2F%2Ffjordvik.example%2Fp.jpg&_nc_hash=1"
    one = post(full_picture=proxy)

    assert str(pictures_of(one, ())[0].url) == "https://fjordvik.example/p.jpg"
