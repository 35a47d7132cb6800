"""Titles and body signs of each kind of document, as data.

The kinds are those of the table of document kinds. Chinese is written in one script.
"""

import re
from collections.abc import Mapping
from typing import Final

from dossier.documents.facts.folding import fold

TITLES: Final[Mapping[str, str]] = {
    "formula": """
        配方表|全成分表|成分表|成份表|成分配方表|產品配方|配方組成|組成表|配方單|處方表|全成分名稱及含量
        formula sheet|master formula|quantitative formula|quantitative composition
        formulation sheet|product formula|composition statement|composition of the product
        qualitative and quantitative composition|qualitative and quantitative formula
        ingredient list|full ingredient list|product composition""",
    "notification": """
        產品登錄證明|登錄證明|產品登錄資料|產品登錄|登錄資料|登錄平台|登錄完成證明|備案憑證|備案資訊
        completed product notification|product notification|notification print-out
        notification printout|notification certificate|proof of notification
        notification summary|cpnp notification|evidence of notification""",
    "label": """
        標籤文字|標籤稿|標籤內容|標籤|仿單|外盒文字|外盒標示|外包裝標示|包裝標示|中文標示|標示內容|產品標示
        label text|label copy|label artwork|artwork proof|artwork|carton text|label and carton
        product label|product labelling|product labeling|packaging text|leaflet text
        label content|final artwork""",
    "gmp": """
        優良製造規範|優良製造準則|優良製造|良好生產規範|gmp 證書|gmp證書|gmp 證明|gmp證明書|gmp證明|gmp 聲明書
        gmp聲明書|gmp 符合聲明|certificate of gmp|gmp certificate|gmp declaration
        good manufacturing practices|good manufacturing practice|certificate of gmp compliance
        gmp compliance|declaration of gmp|iso 22716 certificate|iso 22716:2007|iso 22716
        certificate of iso 22716|gmp statement|gmp|cosmetics gmp""",
    "process": """
        製造方法|製造流程|製程說明|製程流程|生產流程|生產工藝|製造程序|作業流程圖|製程流程圖|批次製造紀錄|批次製造記錄
        製造紀錄|批製造紀錄|製造指示書|製造方法與流程|生產工藝流程
        manufacturing process|manufacturing procedure|manufacturing method
        method of manufacture|process description|process flow|process flow chart|flow chart
        batch manufacturing record|batch record|manufacturing instructions
        manufacturing flow chart|production process""",
    "usage": """
        使用方法說明|使用說明書|使用方法|使用說明|用法用量|使用方法、部位、用量、頻率及族群
        directions for use|instructions for use|use instructions|conditions of use
        exposure scenario|usage instructions|method of use|how to use""",
    "adverse": """
        不良反應紀錄|不良反應記錄|不良反應資料|不良反應聲明書|不良反應聲明|不良反應|客訴紀錄|客訴記錄|不良事件
        undesirable effects|adverse effects of use|adverse effects|adverse events
        adverse reactions|adverse event|complaint log|complaint record|complaints log
        serious undesirable effects|cosmetovigilance|record of undesirable effects""",
    "product_spec": """
        成品規格書|成品規格|產品規格書|產品規格|成品檢驗規格|成品檢驗報告|成品檢驗|成品放行|理化特性|理化規格
        物理化學特性|物理及化學特性|成品分析證明
        finished product specifications|finished product specification
        product specification sheet|product specifications|product specification
        finished product release|physical and chemical specification
        physical and chemical characteristics|physicochemical characteristics
        finished product certificate of analysis|physicochemical properties""",
    "raw_material_spec": """
        原料規格書|原料規格|原料檢驗報告|原料檢驗|原料分析證明|原料分析報告|原料技術資料|原料技術資料表
        raw material specifications|raw material specification|technical data sheet
        raw material certificate of analysis|raw material data sheet|ingredient specification
        technical information sheet|material specification""",
    "sds": """
        安全資料表|物質安全資料表|化學品安全技術說明書|安全數據表|安全技術說明書
        material safety data sheet|safety data sheet|sds|msds""",
    "toxicology": """
        毒理資料摘要|毒理資料|毒理摘要|毒理評估|毒理特性|成分毒理|毒理學資料|毒理學評估
        toxicological profiles|toxicological profile|toxicological evaluation
        toxicological summary|toxicological data|toxicological assessment|toxicology summary
        toxicology profile|toxicological information of ingredients|toxicology report""",
    "stability": """
        安定性試驗|安定性測試|安定性評估|安定性報告|安定性|穩定性試驗|穩定性測試|穩定性考察|穩定性報告|穩定性
        加速安定性|加速安定性試驗
        stability test|stability testing|stability study|stability report|stability evaluation
        accelerated stability|accelerated stability test|stability assessment
        stability programme|stability program|stability data|shelf life study""",
    "microbial": """
        微生物檢測|微生物檢驗|微生物試驗|微生物限量|微生物品質|微生物測試|生菌數檢驗|總生菌數檢驗|微生物限度
        microbiological test|microbiological testing|microbiological analysis
        microbiological quality|microbiological examination|microbiological limits
        microbiological report|microbial limit test|microbial limits|microbial limit
        microbial test|microbial examination|microbial analysis|microbial enumeration
        microbiology report|microbiology test""",
    "challenge": """
        防腐效能試驗|防腐效能測試|防腐效能|防腐效力|防腐效力試驗|防腐挑戰試驗|防腐挑戰|防腐挑戰測試|微生物挑戰試驗
        微生物挑戰性試驗|防腐試驗|挑戰試驗|挑戰性試驗|抗菌效能試驗
        preservative effectiveness (challenge) test|preservative effectiveness
        preservative efficacy test|preservative efficacy|preservative challenge test
        microbial challenge test|preservation challenge test|preservative challenge
        preservation efficacy|antimicrobial effectiveness test|antimicrobial effectiveness
        antimicrobial preservation|efficacy of antimicrobial preservation
        evaluation of the antimicrobial protection|challenge test|challenge testing
        preservative effectiveness test|antimicrobial protection""",
    "efficacy": """
        功效試驗|功效評估|功效測試|功能評估|功能性評估|保濕測試|保濕功效|人體試驗|消費者測試|功效佐證|防曬係數測試
        防曬係數|人體功效評價|功效宣稱評價|功能評估佐證資料|防曬效能
        efficacy test|efficacy study|efficacy report|efficacy evaluation|claim support
        claim substantiation|claims substantiation|consumer test|consumer perception test
        consumer use test|clinical study|clinical efficacy|in vivo study|spf test
        sun protection factor|spf determination|moisturisation test|moisturization test
        moisturising efficacy|determination of sun protection factor|spf report
        product performance study|proof of effect|in vivo spf""",
    "packaging": """
        包材規格|包材規格書|包裝材質|容器材質|接觸材質|包材資料|包裝材料|遷移試驗|溶出試驗|包材相容性|包材聲明
        packaging specification|packaging material specification|packaging materials
        packaging material|primary packaging|packaging compatibility|compatibility test
        migration test|migration testing|container specification|packaging declaration
        packaging data sheet|component specification""",
    "assessment": """
        產品安全性評估|安全性評估|安全評估|安全評估報告|評估結論|安全性評估結論|產品安全資料|評估結論與建議
        safety assessment|product safety assessment|cosmetic product safety report
        cosmetic product safety assessment|safety evaluation|assessment conclusion
        safety assessment report|product safety report|cpsr""",
    "credentials": """
        畢業證書|學位證書|訓練證明|訓練證書|結業證明|結業證書|研習證明|研習證書|時數證明|資格證明|學歷證明|上課證明
        簽署人員資格|受訓證明|培訓證書
        proof of qualification|training certificate|certificate of training
        certificate of completion|certificate of attendance|certificate of participation
        diploma|bachelor of science|master of science|doctor of philosophy|degree certificate
        curriculum vitae|certificate of achievement|qualification certificate
        assessor's credentials|assessor credentials|academic certificate""",
}

ANALYSIS_TITLES: Final = "certificate of analysis|分析證明書|檢驗成績書|分析證書|coa"

NOT_THE_PAPER: Final = re.compile(
    fold(
        r"\b(?:test )?(?:protocol|study plan|test plan)\b|\b(?:request|application|order"
        r"|requisition) form\b|\bquotation\b|\binvoice\b|\bpurchase order\b|\btemplate\b"
        r"|\btable of contents\b|\bchecklist\b|\bcover letter\b|\bmeeting minutes\b"
        r"|\bservice agreement\b|\bguidelines?\b|\bdelivery note\b|^\s*(?:index|contents)\s*$"
        r"|試驗計畫|試驗計劃|計畫書|計劃書|試驗方案|申請書|申請表|委託單(?!位)|委託書|委託試驗單|報價單"
        r"|發票|訂購單|採購單|範本|空白表單|目錄|檢核表|會議紀錄|合約書?|契約書?|指引|送驗單(?!位)"
    )
)
"""Titles of papers that announce, order or list a paper, or regulate it."""

MATERIAL_SIGNS: Final = re.compile(
    fold(
        r"raw material|原料|trade name|商品名(?!稱)|\binci\b|\bcas\b|retest|assay|含量測定|純度"
    )
)
PRODUCT_SIGNS: Final = re.compile(
    fold(r"finished product|成品|cosmetic product|formula (?:code|no)|配方編號")
)

BODY_ALONE: Final[Mapping[str, int]] = {
    "sds": 5,
    "label": 6,
    "microbial": 4,
    "challenge": 4,
    "stability": 4,
}
"""Kinds with a form of their own, and how many of its signs tell it without a title."""


def _signs(*words: str) -> tuple[re.Pattern[str], ...]:
    return tuple(re.compile(fold(word)) for word in words)


SIGNS: Final[Mapping[str, tuple[re.Pattern[str], ...]]] = {
    "formula": _signs(
        r"\binci\b", r"\bcas\b", r"% ?w/w|重量百分比|百分比|含量|%", r"phase|相別"
    ),
    "notification": _signs(
        r"登錄編號|登錄號碼|notification (?:number|no)|reference number|備案編號",
        r"登錄業者|業者|holder|responsible person|備案人",
        r"登錄日期|notified on|notification date|date of notification",
    ),
    "label": _signs(
        r"全成分|成分[::]|ingredients",
        r"用法|使用方法|directions|how to use",
        r"注意事項|precautions|warnings?\b|caution",
        r"淨重|內容量|net (?:content|wt|weight)|℮",
        r"保存方法|storage|store (?:in|below|at)",
        r"用途|purpose|intended use",
        r"原產地|made in|country of origin|產地",
        r"批號|batch|\blot\b|\bexp\b",
        r"製造業者|輸入業者|製造廠商|進口商|distributed by|responsible (?:person|company)|業者",
        r"有效期限|保存期限|best before|period after opening|\bpao\b",
    ),
    "gmp": _signs(
        r"iso ?22716",
        r"certif|證書|證明|聲明|declar",
        r"製造場所|廠址|site|工廠|製造廠|factory",
        r"稽核|audit|scope|範圍",
    ),
    "process": _signs(
        r"rpm|轉速",
        r"攪拌|stir|mix",
        r"均質|乳化|homogeni[sz]|emulsif",
        r"冷卻|cool",
        r"充填|灌裝|fill",
        r"加熱|heat|°c|℃",
    ),
    "usage": _signs(
        r"用量|amount|\bg\b|公克",
        r"頻率|frequency|每日|daily|times",
        r"部位|body site|face|apply",
        r"族群|population|adults?|成人",
    ),
    "adverse": _signs(
        r"客訴|complaints?",
        r"售出|銷售|units sold|sales",
        r"嚴重|serious",
        r"期間|period",
        r"未接獲|none|no (?:adverse|undesirable|case)|無",
    ),
    "product_spec": _signs(
        r"外觀|appearance",
        r"\bph\b|酸鹼值",
        r"黏度|viscosity",
        r"比重|密度|density|gravity",
        r"氣味|odou?r",
    ),
    "raw_material_spec": _signs(
        r"外觀|appearance",
        r"純度|assay|purity",
        r"\bcas\b|\binci\b",
        r"溶解度|solubility",
        r"重金屬|heavy metal",
    ),
    "sds": _signs(
        r"危害辨識|危險性概述|hazards? identification",
        r"成分辨識|組成信息|composition",
        r"急救措施|first.?aid",
        r"滅火措施|消防措施|fire.?fighting",
        r"洩漏處理|泄漏应急|accidental release",
        r"暴露預防|接觸控制|exposure controls",
        r"安定性及反應性|安定性與反應性|穩定性和反應性|stability and reactivity",
        r"毒性資料|毒理學信息|toxicological information",
        r"生態資料|生態學信息|ecological",
        r"運送資料|運輸信息|transport",
        r"廢棄處置|disposal",
    ),
    "toxicology": _signs(
        r"noael|無可見",
        r"ld ?50",
        r"刺激|irritation",
        r"致敏|sensiti[sz]",
        r"\bcas\b",
        r"致突變|mutagen|genotox",
    ),
    "stability": _signs(
        r"\b(?:40|45|50) ?(?:°|º|o)? ?(?:c\b|℃)|℃",
        r"(?:週|周|weeks?|months?|個月)",
        r"冷凍解凍|冷熱循環|凍融|freeze.?thaw|循環|cycl",
        r"加速|accelerated",
        r"離心|centrifug",
        r"分層|separation|phase separation",
        r"長期|long.?term|real.?time",
    ),
    "microbial": _signs(
        r"cfu",
        r"總生菌數|菌落總數|total aerobic|total plate count|tamc",
        r"酵母|霉菌|yeast|mou?ld|tymc",
        r"大腸桿菌|大腸埃希|escherichia|e\. ?coli",
        r"綠膿桿菌|銅綠假單胞|pseudomonas|p\. ?aeruginosa",
        r"金黃色葡萄球菌|staphylococcus|s\. ?aureus",
        r"iso ?(?:21149|16212|22717|22718|21150|18416)",
    ),
    "challenge": _signs(
        r"接種|inocul",
        r"對數|log ?(?:reduction|cfu|10)|\blog\b",
        r"第? ?28 ?(?:天|日)|day ?28|d28|28 ?d",
        r"brasiliensis|niger|巴西麴菌|黑麴菌|黑曲霉",
        r"iso ?11930|usp ?<?51|5\.1\.3",
        r"(?:criteri(?:a|on)|基準|標準) ?[ab]\b",
    ),
    "efficacy": _signs(
        r"受試者|subjects|volunteers|panelists|panellists|consumers|participants",
        r"iso ?2444[234]|\bspf\b",
        r"corneomet|角質|tewl|水分散失",
        r"統計|statistic|significant|p ?<",
        r"問卷|questionnaire|%",
    ),
    "packaging": _signs(
        r"polypropylene|聚丙烯|\bpp\b",
        r"polyethylene|聚乙烯|\bpet\b|hdpe|ldpe|\bpe\b|petg|\babs\b",
        r"glass|玻璃|alumin|鋁",
        r"遷移|migration|溶出",
        r"瓶|蓋|cap|bottle|jar|pump|tube|內襯|liner|軟管",
    ),
    "assessment": _signs(
        r"結論|conclusion",
        r"簽署人員|signatory|assessor",
        r"安全邊際|margin of safety|\bmos\b",
        r"建議|advice|warning",
        r"毒理|toxicolog",
    ),
    "credentials": _signs(
        r"時數|小時|hours?\b",
        r"茲證明|certif(?:y|ies)|awarded|conferred|授予",
        r"學士|碩士|博士|degree|bachelor|master|\bph\.?d",
        r"課程|course|training|訓練",
        r"大學|university|學院|college",
    ),
}
"""What the body of each kind contains, in folded text."""
