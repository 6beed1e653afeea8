"""Texts in fields of names that name nobody: placeholders, makers and models of cameras, programs that edit or show.

The only list of them; ``names`` asks it.
"""

from __future__ import annotations

import re


def _texts(listed: str) -> frozenset[str]:
    return frozenset(" ".join(text.split()) for text in listed.split("|"))


PLACEHOLDERS = _texts(
    """
    - | ? | admin | administrator | anon | anonym | anonyme | anonymous | artist | artist name | author | author
    name | authorized user | autor | benutzer | besitzer | camera | camera owner | canon owner | copyright |
    copyright holder | creator | credit | default | default user | desconhecido | desconocido | digital camera |
    enter name | fotograf | fotografin | fotografo | fotógrafo | guest | hp authorized customer | inconnu | insert
    name | me | myself | n.a | n/a | na | name | nil | no artist | no author | no name | nobody | none | not
    available | not known | not specified | null | own work | owner | owner name | owner's name | ownername | photo
    | photograph | photographe | photographer | photographer name | photographer's name | photographers name |
    preferred customer | propietario | propriétaire | public domain | root | sconosciuto | someone | test |
    unbekannt | undefined | unidentified | unknown | unknown artist | unknown author | unknown creator | unknown
    photographer | unnamed | unspecified | untitled | user | user name | username | usuario | utilisateur | valued
    customer | various | various artists | windows user | xxx | you | your name | your name here
    """
)
"""What cameras and programs write by default, and people who do not want to say."""

MAKERS = _texts(
    """
    agfa | agfaphoto | alcatel | apple | asus | asustek | autel robotics | benq | blackberry | blackmagic design |
    canon | casio | contax | dji | eastman kodak | epson | fairphone | fuji | fuji photo film | fujifilm | google |
    gopro | hasselblad | hewlett-packard | hp | htc | huawei | insta360 | jvc | kodak | konica | konica minolta |
    kyocera | leica | lenovo | lg | lg electronics | lge | mamiya | medion | meizu | microsoft | minolta | motorola
    | nikon | nokia | olympus | om digital solutions | om system | oneplus | oppo | panasonic | parrot | pentax |
    phase one | polaroid | praktica | realme | research in motion | ricoh | rollei | samsung | sanyo | seiko epson |
    sigma | skydio | sony | sony ericsson | toshiba | vivitar | vivo | xiaomi | yashica | yuneec | zte
    """
)
_MAKER_TAIL = re.compile(
    r"[ ,]+(?:corporation|corp\.?|inc\.?|co\.?|ltd\.?|ag|gmbh|imaging|digital|camera|company|optical|electronics|"
    r"techwin|mobile|communications|technologies|technology|computer|innovations?|group)\b.*"
)
_MODEL = re.compile(r"\S*\d\S*")
"""A word of a model's name: ``EOS R5`` has one."""

PROGRAMS = _texts(
    """
    acdsee | acdsee photo studio | acdsee ultimate | adobe | adobe bridge | adobe camera raw | adobe illustrator |
    adobe imageready | adobe indesign | adobe lightroom | adobe photoshop | adobe photoshop album | adobe photoshop
    camera | adobe photoshop camera raw | adobe photoshop lightroom | adobe premiere | affinity | affinity photo |
    after effects | aftershot | aperture | apple photos | ashampoo photo commander | bibble | camera raw | canva |
    capture nx | capture one | corel paint shop | corel paintshop | corel paintshop photo | darktable | davinci
    resolve | digikam | digital photo professional | dxo | dxo optics | dxo photolab | exiftool | facebook | fast
    stone image viewer | faststone image viewer | ffmpeg | figma | final cut | flickr | fotor | fotostation | gimp |
    gnu image manipulation program | google photos | graphicsmagick | gthumb | gwenview | handbrake | hugin |
    illustrator | imagemagick | imovie | inkscape | instagram | iphoto | irfanview | jasc paint shop | krita | lavf
    | libvips | lightroom | luminar | luminar ai | luminar neo | microsoft office | microsoft office picture manager
    | microsoft paint | microsoft photo editor | microsoft photo gallery | microsoft windows | microsoft windows
    live photo gallery | microsoft windows photo gallery | microsoft windows photo viewer | nikon transfer | nx
    studio | on1 | on1 photo raw | paint shop | paint.net | paintshop | photo mechanic | photobucket | photofiltre |
    photomatix | photopea | photos | photoscape | photoshop | picasa | picasa photo viewer | picmonkey | pillow |
    pixelmator | pixlr | polarr | premiere | quicktime | rawtherapee | shotwell | silkypix | silkypix developer
    studio | skylum luminar | snapchat | snapseed | telegram | topaz | topaz photo | topaz studio | tumblr | twitter
    | viewnx | vsco | vscocam | wechat | whatsapp | windows live photo gallery | windows photo editor | windows
    photo gallery | windows photo viewer | xnview | xnviewmp | zoner photo studio
    """
)
_EDITION = re.compile(
    r"[ ,_-]+(?:v(?:er(?:sion)?)?\.?\s*)?(?:\d[\w.+-]*|x\d?|cc|cs\d*|q\d+|ps|ai|se|le|mp|pro|plus|classic|elements|"
    r"express|extended|mobile|editor|home|premium|portable|beta|app|essentials?|studio|for|on|mac(?:intosh)?|os|osx|macos|"
    r"windows|win|ios|android|linux|64-bit|32-bit)$"
)
_BRACKETS = re.compile(r"\s*[(\[][^()\[\]]*[)\]]")


def is_nobody(name: str) -> bool:
    """Whether a text names nobody: empty, "unknown", a camera, its maker, a program, a web address, no letter in it."""
    folded = " ".join(name.casefold().split())
    plain = folded.strip(" .<>()[]{}?!#*-_'\"")
    if plain in PLACEHOLDERS or folded in PLACEHOLDERS or _is_camera(plain) or _is_program(folded):
        return True
    return not any(character.isalpha() for character in name) or folded.startswith(("http://", "https://", "www."))


def _is_camera(plain: str) -> bool:
    """A maker, or one before the name of a model, which has a digit in it: ``nikon d850``."""
    maker = _MAKER_TAIL.sub("", plain)
    if maker in MAKERS:
        return True
    first, _, model = maker.partition(" ")
    return first in MAKERS and any(_MODEL.fullmatch(word) for word in model.split())


def _is_program(folded: str) -> bool:
    """A program, with or without its version, edition and system: ``adobe photoshop cs6 (windows)``."""
    plain = _BRACKETS.sub("", folded).strip(" .<>?!#*-_'\"")
    while plain and plain not in PROGRAMS:
        shorter = _EDITION.sub("", plain)
        if shorter == plain:
            return False
        plain = shorter
    return bool(plain)
