"""How texts name twelve countries, written out from grammars and dictionaries: what the placebo must find.

The rules under test make these forms too; nothing here is read from them.
"""

FORMS = {
    "CN": {
        "en": "China|Chinese|a Chinese|Beijing|Peking|the PRC|PRC|People's Republic of China|CHINA"
        "|the Chinese government",
        "zh": "中国|中国人|中国政府|北京|中华人民共和国|中共|中方|中國",
        "de": "China|Chinas|Chinese|Chinesen|Chinesin|Chinesinnen|chinesisch|chinesische|chinesischen"
        "|chinesischer|chinesisches|chinesischem|Chinesische|Peking|Pekings|Chinas Regierung"
        "|die chinesische Regierung|Volksrepublik China",
        "fr": "la Chine|La Chine|de Chine|de la Chine|en Chine|à la Chine|chinois|chinoise|chinoises|Chinois"
        "|Chinoises|Pékin|Le gouvernement chinois|du gouvernement chinois|vers la Chine",
        "es": "China|de China|a China|en China|chino|china|chinos|chinas|Pekín|El gobierno chino|del Gobierno chino",
        "ar": "الصين|والصين|وللصين|بالصين|صيني|صينية|الصيني|الصينية|صينيون|والصينيين|للصينيين|الصينيات|صينيًا"
        "|بكين|وبكين|الحكومة الصينية|حكومة الصين|جمهورية الصين الشعبية",
    },
    "US": {
        "en": "US|the US|The US|U.S.|the U.S.|USA|the USA|U.S.A.|United States|the United States"
        "|United States of America|UNITED STATES|America|American|Americans|an American|An American"
        "|Washington|Washington, D.C.|Washington DC|the US government|the American government"
        "|the White House",
        "zh": "美国|美国人|美国政府|美方|美军|美利坚合众国|华盛顿|白宫|美國",
        "de": "die USA|der USA|den USA|in den USA|aus den USA|US-amerikanische|US-amerikanischen|amerikanisch"
        "|amerikanischer|Amerikaner|Amerikaners|Amerikanern|Amerikanerin|Amerikanerinnen"
        "|die Vereinigten Staaten|Vereinigte Staaten|den Vereinigten Staaten von Amerika|Amerika"
        "|Amerikas|Washington|Washingtons|die amerikanische Regierung",
        "fr": "les États-Unis|Les États-Unis|aux États-Unis|des États-Unis|États-Unis|Etats-Unis"
        "|les États-Unis d'Amérique|les États-Unis d’Amérique|américain|américaine|américains"
        "|américaines|Américains|états-unien|l'Amérique|USA|Washington|le gouvernement américain",
        "es": "Estados Unidos|los Estados Unidos|de Estados Unidos|de los Estados Unidos|EE. UU.|EE.UU.|EEUU"
        "|EE\xa0UU|estadounidense|estadounidenses|norteamericano|norteamericanas|Washington"
        "|el gobierno estadounidense",
        "ar": "الولايات المتحدة|للولايات المتحدة|والولايات المتحدة الأمريكية|أمريكا|أميركا|أمريكي|الأمريكي"
        "|الأميركية|والأمريكيين|الامريكية|أمريكيون|الأمريكان|واشنطن|الحكومة الأمريكية|البيت الأبيض",
    },
    "RU": {
        "en": "Russia|Russian|Russians|a Russian|Moscow|the Kremlin|the Russian Federation|RUSSIA",
        "zh": "俄罗斯|俄罗斯人|俄国|俄方|莫斯科|俄罗斯联邦|克里姆林宫",
        "de": "Russland|Russlands|Rußland|Russe|Russen|Russin|Russinnen|russisch|russischer|Moskau|Moskaus"
        "|Russlands Regierung",
        "fr": "la Russie|de Russie|de la Russie|en Russie|russe|russes|Russes|Moscou|le gouvernement russe",
        "es": "Rusia|de Rusia|ruso|rusa|rusos|rusas|Moscú|el gobierno ruso",
        "ar": "روسيا|لروسيا|روسي|روسية|الروسي|الروسية|الروس|والروس|موسكو|الحكومة الروسية",
    },
    "GB": {
        "en": "the UK|UK|U.K.|Britain|Great Britain|British|Briton|Britons|a Briton|England|English|Scotland"
        "|Scots|London|United Kingdom|Englishmen|the British government|Northern Ireland",
        "zh": "英国|英国人|英方|伦敦|大不列颠|英格兰|英國",
        "de": "das Vereinigte Königreich|des Vereinigten Königreichs|im Vereinigten Königreich|Großbritannien"
        "|Grossbritannien|Großbritanniens|Brite|Briten|Britin|britisch|britischen|Engländer|englisch"
        "|London|Londons|die britische Regierung",
        "fr": "le Royaume-Uni|du Royaume-Uni|au Royaume-Uni|la Grande-Bretagne|britannique|britanniques"
        "|Britanniques|anglais|anglaise|Londres|l'Angleterre|le gouvernement britannique",
        "es": "el Reino Unido|del Reino Unido|al Reino Unido|Gran Bretaña|británico|británica|británicos"
        "|inglés|ingleses|Londres|el gobierno británico",
        "ar": "المملكة المتحدة|للمملكة المتحدة|بريطانيا|وبريطانيا|بريطاني|البريطاني|البريطانيين|الإنجليز|لندن"
        "|الحكومة البريطانية",
    },
    "DE": {
        "en": "Germany|German|Germans|a German|Berlin|the German government",
        "zh": "德国|德国人|柏林|德意志联邦共和国",
        "de": "Deutschland|Deutschlands|deutsch|deutsche|deutschen|Deutsche|Deutschen|Deutscher|Berlin"
        "|Berlins|Deutschlands Regierung|die deutsche Regierung",
        "fr": "l'Allemagne|d'Allemagne|de l'Allemagne|en Allemagne|à l'Allemagne|allemand|allemande|allemands"
        "|Allemands|Berlin",
        "es": "Alemania|de Alemania|alemán|alemana|alemanes|alemanas|Berlín|el gobierno alemán",
        "ar": "ألمانيا|المانيا|لألمانيا|ألماني|الألماني|الألمانية|الألمان|برلين",
    },
    "FR": {
        "en": "France|French|Frenchman|Frenchmen|a Frenchwoman|Paris|the French government",
        "zh": "法国|法国人|巴黎|法兰西",
        "de": "Frankreich|Frankreichs|Franzose|Franzosen|Französin|Französinnen|französisch|französischer|Paris",
        "fr": "la France|de France|de la France|en France|français|française|françaises|Français|Paris"
        "|le gouvernement français",
        "es": "Francia|de Francia|francés|francesa|franceses|francesas|París|el gobierno francés",
        "ar": "فرنسا|لفرنسا|فرنسي|الفرنسي|الفرنسيين|فرنسية|باريس|الحكومة الفرنسية",
    },
    "TR": {
        "en": "Türkiye|Turkiye|Turkey|Turkish|Turk|Turks|a Turk|Ankara|the Turkish government",
        "zh": "土耳其|土耳其人|安卡拉",
        "de": "die Türkei|der Türkei|in der Türkei|aus der Türkei|Tuerkei|Türke|Türken|Türkin|türkisch"
        "|türkischen|Ankaras",
        "fr": "la Turquie|de Turquie|en Turquie|turc|turque|turcs|turques|Turcs|Ankara|le gouvernement turc",
        "es": "Turquía|de Turquía|turco|turca|turcos|turcas|Ankara|el gobierno turco",
        "ar": "تركيا|لتركيا|تركي|التركي|التركية|الأتراك|أنقرة|الحكومة التركية",
    },
    "PL": {
        "en": "Poland|Polish|Pole|Poles|a Pole|Warsaw|the Polish government",
        "zh": "波兰|波兰人|华沙",
        "de": "Polen|Polens|Pole|Polin|Polinnen|polnisch|polnischer|Warschau|Warschaus|die polnische Regierung",
        "fr": "la Pologne|de Pologne|en Pologne|polonais|polonaise|Polonais|Varsovie|le gouvernement polonais",
        "es": "Polonia|de Polonia|polaco|polaca|polacos|polacas|Varsovia|el gobierno polaco",
        "ar": "بولندا|لبولندا|بولندي|البولندي|البولنديين|بولندية|وارسو",
    },
    "BR": {
        "en": "Brazil|Brazilian|Brazilians|a Brazilian|Brasília|Brasilia",
        "zh": "巴西|巴西人|巴西利亚",
        "de": "Brasilien|Brasiliens|Brasilianer|Brasilianern|Brasilianerin|brasilianisch|brasilianischen|Brasília",
        "fr": "le Brésil|Le Brésil|du Brésil|au Brésil|brésilien|brésilienne|brésiliens|Brésiliens|Brasilia",
        "es": "Brasil|de Brasil|brasileño|brasileña|brasileños|Brasilia|el gobierno brasileño",
        "ar": "البرازيل|للبرازيل|برازيلي|البرازيلي|البرازيليين|برازيليا",
    },
    "KR": {
        "en": "South Korea|South Korean|South Koreans|a South Korean|Korea|Korean|Koreans|Republic of Korea|Seoul",
        "zh": "韩国|韩国人|大韩民国|首尔|韓國",
        "de": "Südkorea|Südkoreas|Südkoreaner|Südkoreanerin|südkoreanisch|südkoreanischen|Korea|Seoul|Seouls",
        "fr": "la Corée du Sud|de Corée du Sud|en Corée du Sud|sud-coréen|sud-coréenne|Sud-Coréens|Séoul",
        "es": "Corea del Sur|de Corea del Sur|surcoreano|surcoreana|surcoreanos|Seúl",
        "ar": "كوريا الجنوبية|لكوريا الجنوبية|كوري جنوبي|الكوري الجنوبي|الكورية الجنوبية|سيول",
    },
    "IR": {
        "en": "Iran|Iranian|Iranians|an Iranian|Tehran|the Iranian government",
        "zh": "伊朗|伊朗人|德黑兰",
        "de": "Iran|Irans|im Iran|des Iran|aus dem Iran|Iraner|Iranerin|iranisch|iranischen|Teheran|Teherans",
        "fr": "l'Iran|d'Iran|de l'Iran|en Iran|iranien|iranienne|Iraniens|Téhéran|le gouvernement iranien",
        "es": "Irán|de Irán|iraní|iraníes|iranís|Teherán|el gobierno iraní",
        "ar": "إيران|ايران|لإيران|إيراني|الإيراني|الإيرانيين|إيرانية|طهران|الحكومة الإيرانية",
    },
    "NL": {
        "en": "the Netherlands|The Netherlands|Netherlands|Dutch|a Dutch|Dutchman|Holland|Amsterdam"
        "|the Dutch government",
        "zh": "荷兰|荷兰人|阿姆斯特丹",
        "de": "die Niederlande|den Niederlanden|in den Niederlanden|Niederländer|Niederländerin"
        "|niederländisch|Holland|holländische|Amsterdams|Regierung der Niederlande",
        "fr": "les Pays-Bas|des Pays-Bas|aux Pays-Bas|néerlandais|néerlandaise|Néerlandais|hollandais|Amsterdam",
        "es": "los Países Bajos|de los Países Bajos|neerlandés|neerlandesa|neerlandeses|holandés|Holanda|Ámsterdam",
        "ar": "هولندا|بهولندا|هولندي|الهولندي|الهولنديين|أمستردام",
    },
}

SHOWN = {
    "en": "Country X s of the The a A an government Government people People person from Capital",
    "zh": "某国 某国首都 某国政府 某国人",
    "de": "Land X Xs von in aus die der das den dem des stammende stammenden stammender stammendes stammendem stammend"
    " Regierung Menschen Hauptstadt Volksrepublik",
    "fr": "le la Le La du au aux en à vers pays X habitants gouvernement capitale",
    "es": "el la El La del al en país X gobierno capital",
    "ar": "الدولة س من حكومة عاصمة",
}
"""Every word that may stand where a mention stood."""
