"""What to cite for the measures of a report."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

__all__ = ["Reference", "bibtex", "references_for"]


@dataclass(frozen=True)
class Reference:
    """A work to cite.

    Parameters
    ----------
    key
        Of the BibTeX entry.
    kind
        ``article``, ``inproceedings``, ``book``.
    authors
        As BibTeX wants them.
    year, title, place, numbers
        `place` is the journal, proceedings or publisher; `numbers` volume, issue and pages.
    doi
        Empty where there is none.
    groups
        Feature groups it belongs to; ``quality`` is that of the section.
    """

    key: str
    kind: str
    authors: str
    year: int
    title: str
    place: str
    numbers: tuple[str, str, str] = ("", "", "")
    doi: str = ""
    groups: tuple[str, ...] = ()

    def text(self) -> str:
        """Write it as a line of a list of references.

        >>> references_for(["va"])[0].text()[:47]
        'Russell, James A. (1980). A circumplex model of'
        """
        volume, number, pages = self.numbers
        issue = f"{volume}({number})" if number else volume
        where = ", ".join(part for part in (self.place, issue, pages.replace("--", "–")) if part)
        names = self.authors.replace(" and ", "; ")
        doi = f" doi:{self.doi}" if self.doi else ""
        return f"{names} ({self.year}). {self.title}. {where}.{doi}"


_WORKS = (
    Reference(
        "ekman2002facs", "book", "Ekman, Paul and Friesen, Wallace V. and Hager, Joseph C.", 2002,
        "Facial Action Coding System: The Manual", "Research Nexus", groups=("aus", "intensities"),
    ),
    Reference(
        "girard2015smile", "article",
        "Girard, Jeffrey M. and Cohn, Jeffrey F. and De la Torre, Fernando", 2015,
        "Estimating smile intensity: A better way", "Pattern Recognition Letters",
        ("66", "", "13--21"), "10.1016/j.patrec.2014.10.004", ("aus",),
    ),
    Reference(
        "schmidt2009smiles", "article",
        "Schmidt, Karen L. and Bhattacharya, Sharika and Denlinger, Rachel", 2009,
        "Comparison of deliberate and spontaneous facial movement in smiles and eyebrow raises",
        "Journal of Nonverbal Behavior", ("33", "", "35--45"), "10.1007/s10919-008-0058-6",
        ("aus", "intensities"),
    ),
    Reference(
        "barrett2019expressions", "article",
        "Barrett, Lisa Feldman and Adolphs, Ralph and Marsella, Stacy and Martinez, Aleix M. and "
        "Pollak, Seth D.", 2019, "Emotional expressions reconsidered",
        "Psychological Science in the Public Interest", ("20", "1", "1--68"),
        "10.1177/1529100619832930", ("emotions",),
    ),
    Reference(
        "shannon1948theory", "article", "Shannon, Claude E.", 1948,
        "A mathematical theory of communication", "Bell System Technical Journal",
        ("27", "", "379--423"), "10.1002/j.1538-7305.1948.tb01338.x", ("emotions",),
    ),
    Reference(
        "russell1980circumplex", "article", "Russell, James A.", 1980,
        "A circumplex model of affect", "Journal of Personality and Social Psychology",
        ("39", "6", "1161--1178"), "10.1037/h0077714", ("va",),
    ),
    Reference(
        "jahng2008instability", "article",
        "Jahng, Seungmin and Wood, Phillip K. and Trull, Timothy J.", 2008,
        "Analysis of affective instability in ecological momentary assessment",
        "Psychological Methods", ("13", "4", "354--375"), "10.1037/a0014173", ("va",),
    ),
    Reference(
        "kuppens2017dynamics", "article", "Kuppens, Peter and Verduyn, Philippe", 2017,
        "Emotion dynamics", "Current Opinion in Psychology", ("17", "", "22--26"),
        "10.1016/j.copsyc.2017.06.004", ("va",),
    ),
    Reference(
        "steinman1965fixation", "article", "Steinman, Robert M.", 1965,
        "Effect of target size, luminance, and color on monocular fixation",
        "Journal of the Optical Society of America", ("55", "9", "1158--1164"),
        "10.1364/JOSA.55.001158", ("gazes",),
    ),
    Reference(
        "krejtz2015transition", "article",
        "Krejtz, Krzysztof and Duchowski, Andrew and Szmidt, Tomasz and Krejtz, Izabela and "
        "González Perilli, Fernando and Pires, Ana and Vilaro, Anna and Villalobos, Natalia",
        2015, "Gaze transition entropy", "ACM Transactions on Applied Perception",
        ("13", "1", "4"), "10.1145/2834121", ("gazes",),
    ),
    Reference(
        "hadar1983kinematics", "article",
        "Hadar, Uri and Steiner, Timothy J. and Grant, Ewan C. and Rose, F. Clifford", 1983,
        "Kinematics of head movements accompanying speech during conversation",
        "Human Movement Science", ("2", "1--2", "35--46"), "10.1016/0167-9457(83)90004-0",
        ("poses",),
    ),
    Reference(
        "umeyama1991estimation", "article", "Umeyama, Shinji", 1991,
        "Least-squares estimation of transformation parameters between two point patterns",
        "IEEE Transactions on Pattern Analysis and Machine Intelligence", ("13", "4", "376--380"),
        "10.1109/34.88573", ("meshes",),
    ),
    Reference(
        "tian2004resolution", "inproceedings", "Tian, Ying-li", 2004,
        "Evaluation of face resolution for expression analysis",
        "CVPR Workshops", doi="10.1109/CVPR.2004.60", groups=("quality",),
    ),
    Reference(
        "namba2021viewpoint", "article", "Namba, Shushi and Sato, Wataru and Yoshikawa, Sakiko",
        2021, "Viewpoint robustness of automated facial action unit detection systems",
        "Applied Sciences", ("11", "23", "11171"), "10.3390/app112311171", ("quality",),
    ),
)  # fmt: skip


def references_for(groups: Iterable[str]) -> list[Reference]:
    """List the works behind the measures of some feature groups, and ``quality``."""
    wanted = set(groups)
    return [work for work in _WORKS if wanted & set(work.groups)]


def bibtex(works: Iterable[Reference]) -> str:
    """Write entries for a ``.bib`` file.

    >>> print(bibtex(references_for(["meshes"])).splitlines()[0])
    @article{umeyama1991estimation,
    """
    places = {"article": "journal", "inproceedings": "booktitle", "book": "publisher"}
    entries = []
    for work in works:
        volume, number, pages = work.numbers
        fields = {
            "author": work.authors, "title": f"{{{work.title}}}", places[work.kind]: work.place,
            "year": str(work.year), "volume": volume, "number": number, "pages": pages,
            "doi": work.doi,
        }  # fmt: skip
        lines = ",\n".join(f"  {name} = {{{value}}}" for name, value in fields.items() if value)
        entries.append(f"@{work.kind}{{{work.key},\n{lines}\n}}")
    return "\n\n".join(entries)
