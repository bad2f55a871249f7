"""Tell a judge that will not score from one that scores in prose.

Judges refuse in a few stock phrases, at the beginning of what they say and in the first person. A judge that speaks of
a refusal in the answer ("it says 'I cannot help'", "I am sorry to say: a refusal, score 1") does not refuse.
"""

import re

BEGINNING = 300
"""Characters within which a refusal says that it is one."""

_UNABLE = (
    r"(can ?not|can't|won't|will not|(am|'m|are) (not able|unable) to|(am|'m) not comfortable"
    r"|(do not|don't) feel comfortable)"
)
_DECLINE = r"((must|have to|need to|will|'ll( have to)?) )?((respectfully|politely) )?(decline|refuse)\b"
_DEEDS = (
    r"(help|assist|comply|provide|evaluat|scor|rat(e|ing)\b|judg|assess|grad(e|ing)\b|review|fulfil|answer|respond|engag"
    r"|continu|participat|complet|discuss|process|support|generat|produc|creat|proceed|do (that|this|so)|take part)"
)
_REMARK = r"(see|find|tell|detect|identify|agree|say|give|think|imagine)\b"
_UNABLE_ZH = "无法|無法|不能|不便|不会|没有?学[会习]|沒有?學[會習]"
_DEEDS_ZH = (
    "(回答|回應|回应|提供|评|評|打分|协助|協助|帮|幫|讨论|討論|满足|完成|处理|處理|参与|參與|继续|繼續|生成|执行|谈论)"
)
_PHRASES = (
    rf"\bi( really| simply)? ?{_UNABLE}( (and|or) {_UNABLE})? {_DEEDS}",
    rf"\bi ?{_DECLINE}",
    r"\bi'd (rather|prefer) not\b",
    rf"\A\W*(unable|not able) to {_DEEDS}",
    rf"\b(sorry|apologi[sz]e|apologies|unfortunately|afraid)\b[^.!?]{{0,60}}?\b(i|we) ?{_UNABLE} (?!{_REMARK})",
    r"\b(sorry|apologies|unfortunately)\b[^.!?]{0,40}\b(beyond|outside)( of)? (my|the)( current)? "
    r"(scope|abilit|capabilit)",
    r"\blet's (talk|chat) about something else",
    r"\bas an ai\b[^.!?]{0,60}\b(can ?not|can't|not able|unable|won't|decline)\b",
    rf"(对不起|對不起|抱歉|不好意思)[^。！？!?]{{0,20}}({_UNABLE_ZH}|超出)",
    rf"我[^。！？!?，,]{{0,10}}({_UNABLE_ZH}|拒绝|拒絕)[^。！？!?，,]{{0,10}}{_DEEDS_ZH}",
    rf"\A\W*(无法|無法){_DEEDS_ZH}",
    r"超出了?我[^。！？!?]{0,10}(范围|範圍|能力)",
    r"(让|讓)(我们|我們|咱们)(换个|換個|聊点|聊點|聊聊|谈谈)",  # "let us change the subject": DeepSeek's stock phrase
)
_REFUSAL = re.compile("|".join(_PHRASES))
_OF_THE_ANSWER = re.compile(
    r"[\"“”«»「『]|(?<!\w)'|\b(says?|said|stat(es|ed|ing)|repl(ies|ied|ying)|claim(s|ed)|writes?|wrote|respond(s|ed)"
    r"|refus(es|ed|al)|declin(es|ed))\b|(回答|回复|模型|答案)(说|表示|称|是|：|:)"
)
"""Before the phrase: the judge quotes somebody else's."""
_OF_A_SCORE = re.compile(
    r"[^.!?。！？]*?(\b(higher|lower|more than|less than|(above|below) [0-9]|full marks|top (mark|score))\b"
    r"|更高|高分|更低|满分)"
)
"""From it on: what is refused is a certain score, not any."""


def refuses(prose: str) -> bool:
    """Whether `prose`, in English or Chinese, is a refusal to do what was asked."""
    head = prose[:BEGINNING].replace("’", "'").replace("‘", "'").lower()
    head = " ".join(head.split())
    found = _REFUSAL.search(head)
    return (
        found is not None
        and not _OF_THE_ANSWER.search(head[: found.start()])
        and not _OF_A_SCORE.match(head[found.start() :])
    )
