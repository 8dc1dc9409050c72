"""Names of a table's columns in other software and languages, for advice on how to rename them."""

import re
from typing import Final

_WORDS: Final = {
    "run": "experiment batch differentiation versuch lauf expérience experimento esperimento 実験",
    "plate": "dish platte plaque placa piastra プレート",
    "well": "vertiefung kavität puits pocillo pozo pozzetto ウェル",
    "site": "position field fov feld champ campo 視野",
    "time_point": "frame timepoint time zeitpunkt temps tiempo 時点",
    "day": "days tag tage jour dia día giorno 日",
    "phase": "image imagen img phase_contrast phasecontrast phase_image ph bf brightfield"
    " bright_field phasenkontrast contraste_de_phase 位相差",
    "fluorescence": "gfp yfp rfp mcherry fitc marker fluo fluor stain antibody mask label labels"
    " fluoreszenz fluorescencia fluorescenza 蛍光",
    "um_per_px": "um_px µm_px μm_px pixel_size pixel_size_um pixel_size_µm pixel_size_μm pixelsize"
    " pixelgröße pixelgröße_µm pixelgröße_μm taille_pixel taille_pixel_µm taille_pixel_μm"
    " taille_de_pixel taille_du_pixel tamaño_de_píxel dimensione_pixel",
}
_OTHER: Final = {word: own for own, words in _WORDS.items() for word in words.split()}


def own_word(name: str) -> str:
    """Return the column that a name means; the plain name where it is none of the known ones."""
    plain = re.sub(r"[\W\d_]+", "_", name.strip().lower()).strip("_")
    return _OTHER.get(plain, plain)
