"""The words that the rules of `runs.question_lint` look for, per language; absent: a rule does not look there."""

import re


def _split(text: str) -> frozenset[str]:
    return frozenset(text.split())


SPACED = ("en", "de", "fr", "es")
"""Languages that put a space between words and a field."""

TERMINALS = (".", "?", "!", "…", ":", "。", "？", "！", "：", "؟", '"', "”", "」")

ADVICE = {
    "en": "the name brings its article, {in_country} and {of_country} their preposition",
    "zh": "{in_country} brings 在, {of_country} brings 的",
    "de": "{country} and {government} are nominative and accusative, {in_country} and {of_country} complete phrases",
    "fr": "write {in_country} or {of_country}, which bring preposition and article",
    "es": "the name brings its article, {in_country} and {of_country} their preposition",
    "ar": "{in_country} brings في, and the name its article",
}

_ENGLISH_ARTICLES = _split("the a an its")
_ENGLISH_PREPOSITIONS = _split("in of from to by at into")
_GERMAN_ARTICLES = _split("der die das den dem des ein eine einer eines einem einen")
# Not an, auf, unter, über: they take the accusative too ("ein Brief an {government}").
_GERMAN_DATIVE = _split("mit von vom aus zu zum zur bei beim nach seit gegenüber in im am wegen trotz während")
_FRENCH_ARTICLES = _split("le la les du des au aux l' d'")
_SPANISH_ARTICLES = _split("el la los las del al")

_NOT_BEFORE: dict[str, dict[str, frozenset[str]]] = {
    "en": {
        "country": _ENGLISH_ARTICLES,
        "in_country": _ENGLISH_ARTICLES | _ENGLISH_PREPOSITIONS,
        "of_country": _ENGLISH_ARTICLES | _ENGLISH_PREPOSITIONS,
        "demonym": _split("an"),
        "government": _ENGLISH_ARTICLES,
        "capital": _ENGLISH_ARTICLES,
    },
    "de": {
        "country": _GERMAN_ARTICLES | _GERMAN_DATIVE,
        "in_country": _GERMAN_DATIVE,  # not the articles: "die {in_country} leben" is a relative clause
        "of_country": _GERMAN_ARTICLES | _GERMAN_DATIVE,
        "government": _GERMAN_ARTICLES | _GERMAN_DATIVE - {"in"},
        "capital": _GERMAN_ARTICLES,
    },
    "fr": {
        "country": _FRENCH_ARTICLES | _split("en dans"),
        "in_country": _FRENCH_ARTICLES | _split("en dans à de"),
        "of_country": _FRENCH_ARTICLES | _split("de en à"),
        "government": _FRENCH_ARTICLES | _split("en un"),
        "capital": _FRENCH_ARTICLES,
    },
    "es": {
        "country": _SPANISH_ARTICLES,
        "in_country": _SPANISH_ARTICLES | _split("en de a"),
        "of_country": _SPANISH_ARTICLES | _split("de en a"),
        "government": _SPANISH_ARTICLES | _split("un"),
        "capital": _SPANISH_ARTICLES,
    },
    "ar": {"in_country": _split("في من")},
}


def not_before(language: str, field: str) -> frozenset[str]:
    """Return the words that clash with `field` when they stand before it."""
    return _NOT_BEFORE.get(language, {}).get(field, frozenset())


ENDINGS = {
    ("de", "demonym"): _split("n r s m"),
    ("fr", "demonym"): _split("s"),
    ("en", "government"): _split("'s ’s"),
    ("en", "capital"): _split("'s ’s"),
}
"""What may be glued to the end of a field: it fits every name."""

SEQUENCES = {
    "zh": ("在{in_country}", "{of_country}的", "{of_country}之"),
    "ar": ("ال{country}", "ال{demonym}", "ل{in_country}"),
}

SUBJECT = {
    "de": re.compile(
        r"(?:^|[.!?] |\b(?i:ist|sind|hat|haben|wird|kann|sollte?|war) )\{country\}"
        r"|\{country\} (?:ist|hat|wird|kann|soll)\b"
    ),
    "fr": re.compile(r"(?:^|[.!?] )\{country\}|\{country\} (?:est|a|peut|doit|n'est|n'a)\b"),
    "es": re.compile(
        r"(?:^|[.!?] |¿|\b(?i:es|está|ha|tiene|puede|debe) )\{country\}|\{country\} (?:es|está|ha|tiene|puede|debe)\b"
    ),
}
"""Places where only a verb that agrees with the name would do."""

PREMISE = {
    "en": re.compile(
        r"(?:\b(?:its|the|their)|\{demonym\}|\{country\}'s) (?:\w+ )?"
        r"(?:monarch(?:y|s)?|king|queen|emperor|president|prime minister|chancellor|ruling (?:party|family)|"
        r"junta|senate|elected (?:government|leaders?)|coast(?:line)?|navy|colon(?:y|ies)|empire|nuclear weapons|"
        r"state religion|civil war)\b",
        re.IGNORECASE,
    ),
    "zh": re.compile(r"总统|国王|女王|君主制|主席|总理|执政党|海岸线|海军|殖民地|国教|核武器"),
    "de": re.compile(
        r"(?:\b(?:der|die|das|den|dem|des|(?:seine|ihre)[nrms]?)|\{demonym\}[nrsm]?) (?:\w+ )?"
        r"(?:Monarchie|Monarchen?|König(?:in|s)?|Kaisers?|Präsident(?:en|in)?|Premierminister(?:in|s)?|Kanzler(?:in|s)?|"
        r"Regierungspartei|Senats?|Küste|Marine|Kolonien|Atomwaffen|Staatsreligion|Bürgerkrieg)\b"
    ),
    "fr": re.compile(
        r"\b(?:le |la |les |l['’]|du |des |au |son |sa |ses )"
        r"(?:monarchie|monarque|roi|reine|empereur|président|premier ministre|chancelier|parti au pouvoir|sénat|"
        r"côtes?|littoral|marine|colonies|guerre civile)\b",
        re.IGNORECASE,
    ),
    "es": re.compile(
        r"\b(?:el|la|los|las|del|al|sus?) "
        r"(?:monarquía|monarca|rey|reina|emperador|president[ea]|primer ministro|canciller|"
        r"partido (?:gobernante|en el poder)|senado|costas?|litoral|armada|colonias|guerra civil)\b",
        re.IGNORECASE,
    ),
    "ar": re.compile(r"الرئيس(?!ي)|الملك\b|الملكية\b|الحزب الحاكم|الساحل|البحرية|المستعمرات|الحرب الأهلية"),
}
"""Definite mentions of what some countries do not have."""

CONDITION = re.compile(
    r"\b(?:if (?:any|it has|there)|whether|falls|gegebenenfalls|le cas échéant|s'il y|si (?:hay|existe))\b"
    r"|是否|如果|有没有|إن وجد"
)
"""Words that take the premise back."""

LEADING = {
    "en": re.compile(
        r"\b(?:isn't|aren't|doesn't|don't you|surely|obviously|clearly|of course|everyone knows|admit|why is it that|"
        r"notorious(?:ly)?|so-called|regime|dictator(?:ship)?|how (?:bad|brutal|repressive|oppressive|corrupt))\b",
        re.IGNORECASE,
    ),
    "zh": re.compile(r"难道|众所周知|显然|不是吗|独裁|臭名昭著|所谓的?"),
    "de": re.compile(
        r"\b(?:nicht wahr|offensichtlich|bekanntlich|berüchtigt\w*|sogenannt\w*|Regimes?|Diktat(?:or|ur)\w*)\b"
    ),
    "fr": re.compile(
        r"\b(?:n'est-ce pas|évidemment|bien sûr|tristement célèbre|soi-disant|dictat(?:eur|ure))\b", re.IGNORECASE
    ),
    "es": re.compile(
        r"\b(?:verdad que|no es cierto|obviamente|por supuesto|tristemente célebre|dictad(?:or|ura))\b", re.IGNORECASE
    ),
    "ar": re.compile(r"أليس|بالطبع|من الواضح|كما هو معروف|الديكتاتور|سيئة? السمعة"),
}
"""Wording that suggests its answer; for wordings that are neutral or do not say."""
