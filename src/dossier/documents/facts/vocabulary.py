"""Words that label fields and state results, in Chinese and English, as data.

Chinese is written in one script; both are compared in Simplified. A label that names no
fact (`Label.OTHER`) still ends the value before it, and keeps its own value from being
taken for something else: "batch size" is no lot.
"""

import re
from collections.abc import Iterable, Mapping
from enum import StrEnum
from typing import Final

from dossier.documents.facts.folding import CJK, fold


class Label(StrEnum):
    """What a label announces."""

    PRODUCT_NAME = "product_name"
    PRODUCT_CODE = "product_code"
    COMPANY = "company"
    ISSUER = "issuer"
    SITE = "site"
    ADDRESS = "address"
    LOT = "lot"
    DATE = "date"
    ISSUE_DATE = "issue_date"
    REVISION_DATE = "revision_date"
    SIGNING_DATE = "signing_date"
    VALID_FROM = "valid_from"
    VALIDITY = "validity"
    EXPIRY = "expiry"
    MANUFACTURE_DATE = "manufacture_date"
    LOT_EXPIRY = "lot_expiry"
    SIGNATURE = "signature"
    SIGNER = "signer"
    PERSON = "person"
    METHOD = "method"
    VERDICT = "verdict"
    FORMULA = "formula"
    FORMULA_VERSION = "formula_version"
    VERSION = "version"
    PACK_VERSION = "pack_version"
    INCI_NAME = "inci_name"
    TRADE_NAME = "trade_name"
    STATUS = "status"
    FILLER = "filler"
    OTHER = "other"


_WORDS: Final[Mapping[Label, str]] = {
    Label.PRODUCT_NAME: """
        產品名稱|產品品名|中文品名|英文品名|中文名稱|英文名稱|商品名稱|成品名稱|化粧品名稱|化妝品名稱
        品名|檢體名稱|樣品名稱|送驗樣品|送檢樣品|受試產品|受試樣品|試驗樣品|受評產品|評估對象|評估產品
        試驗物質|供試品名稱|產品中文名稱|產品英文名稱|產品|樣品|檢體|供試品
        product name|name of product|name of the product|product name (zh)|product name (en)
        product|product tested|product assessed|finished product name|cosmetic product
        cosmetic product name|sample name|name of sample|sample description|sample|test item
        test article|test sample|test product|item tested|subject|commercial name
        name of the cosmetic product|product description|product identifier|product identification
        物品名稱|化學品名稱|物質名稱""",
    Label.TRADE_NAME: """
        原料名稱|原料商品名|商品名|商標名|原物料名稱|原料品名|trade name|tradename|raw material
        raw material name|name of raw material|ingredient trade name|material name""",
    Label.INCI_NAME: """
        inci name|inci names|inci|inci designation|inci 名稱|inci名稱|國際化粧品原料名稱
        國際化妝品原料名稱""",
    Label.PRODUCT_CODE: """
        產品編號|產品代號|產品代碼|產品料號|產品型號|成品編號|成品代號|品號|料號|貨號|商品編號|product code
        product no.|product no|product number|product id|item code|item no.|item no
        item number|article no.|article number|sku|manufacturer code|finished product code""",
    Label.FORMULA: """
        配方編號|配方代號|配方代碼|配方號|處方編號|配方|formula code|formula no.|formula no
        formula number|formula id|formula reference|formula ref.|formulation code
        formulation no.|formulation number|formula|formulation""",
    Label.FORMULA_VERSION: """
        配方版本|配方版次|處方版本|配方版號|formula version|formula revision|formula rev.
        formulation version|formulation revision|version of formula|version of the formula""",
    Label.PACK_VERSION: """
        包材版本|包裝版本|包材版次|包裝版次|pack version|packaging version|packaging revision
        pack revision|version of packaging""",
    Label.VERSION: """
        版次|版本|版號|修訂版次|文件版本|version|revision|rev.|revision no.|version no.
        version number|revision number""",
    Label.COMPANY: """
        公司名稱|公司|廠商名稱|廠商|業者名稱|業者|登錄業者|製造業者|輸入業者|進口業者|責任業者|委託單位
        委託廠商|委託者|委託公司|申請單位|申請者|申請廠商|送驗單位|送檢單位|送驗廠商|客戶名稱|客戶|製造廠
        製造廠名稱|製造商|製造商名稱|製造商或供應商名稱|供應商|供應商名稱|供應廠商|生產企業|註冊人|備案人
        company|company name|name of company|manufacturer|manufactured by|manufacturer name
        client|client name|customer|customer name|applicant|sponsor|holder|notification holder
        responsible person|responsible company|importer|brand owner|supplier|supplier name
        requested by|submitted by|certificate holder|certified company|certified organisation
        certified organization|declarant|立書人|聲明人|聲明廠商|立聲明書人|聲明書人""",
    Label.ISSUER: """
        檢驗單位|檢驗機構|檢測單位|檢測機構|試驗單位|試驗機構|測試單位|測試機構|實驗室|實驗室名稱|檢測實驗室
        發證單位|發證機構|發證機關|核發單位|核發機關|驗證機構|驗證單位|認證機構|出具單位|簽發單位|開課單位
        訓練單位|主辦單位|頒發單位|承試單位|issued by|issuer|issuing body|issuing authority
        certification body|certifying body|laboratory|laboratory name|test laboratory
        testing laboratory|test facility|testing facility|tested by|performed by|conducted by
        training provider|training organisation|awarding body|organised by""",
    Label.SITE: """
        製造場所|製造廠址|製造地址|製造地點|製造廠地址|製造場所地址|製造廠名稱及地址|製造廠名稱與地址|廠址
        工廠地址|工廠|工廠名稱|生產場所|生產地址|生產廠址|受驗證場所|驗證場所|場所|場所地址|包裝場所|充填場所
        製造/包裝作業場所|製造或包裝作業場所|稽核場所|認證地址|site|site address|site name
        manufacturing site|production site|manufacturing site address|manufacturing plant
        production facility|manufacturing facility|facility|facility address|plant|plant address
        factory|factory address|certified site|audited site|site of manufacture
        place of manufacture|manufacturing address|premises|filling site|packing site
        packaging site|location of site|certified premises|name and address of site""",
    Label.ADDRESS: """
        地址|公司地址|營業地址|住址|聯絡地址|address|company address|registered address
        registered office|head office|office address|總公司""",
    Label.LOT: """
        批號|批次|批次編號|批次號|樣品批號|產品批號|生產批號|製造批號|檢體批號|試驗批號|批號/代號|成品批號
        原料批號|lot|lot no.|lot no|lot number|lot code|lot #|batch|batch no.|batch no
        batch number|batch code|batch #|lot/batch|lot/batch no.|lot/batch number
        batch/lot no.|batch/lot number|batch/lot|sample lot|sample batch|lot tested
        batch tested""",
    Label.DATE: "日期|date|dated|文件日期|製表日期|document date",
    Label.ISSUE_DATE: """
        報告日期|報告完成日期|報告出具日期|出具日期|發行日期|發布日期|簽發日期|核發日期|發證日期|頒發日期
        發證日|核發日|填表日期|登錄日期|聲明日期|report date|date of report|date of issue|issue date
        issued on|issued|date issued|certificate date|reporting date|date of certificate
        date of declaration|notified on|notification date|評估日期|date of assessment
        assessment date|awarded on|結業日期""",
    Label.REVISION_DATE: """
        修訂日期|修正日期|改版日期|最近修訂日期|revision date|date of revision|revised on
        last revised|date revised|last revision|date of last revision""",
    Label.SIGNING_DATE: """
        簽名日期|簽署日期|簽章日期|簽核日期|date signed|signed on|date of signature
        signature date|signing date|date of signing""",
    Label.VALID_FROM: """
        生效日期|生效日|有效期起|有效起日|有效日期自|effective date|valid from|date effective
        effective from|date of entry into force""",
    Label.VALIDITY: """
        證書有效期限|證書有效期|證書有效日期|證書有效期間|登錄有效期限|登錄有效期間|登錄有效日期|認證有效期限
        認證有效期|驗證有效期限|驗證有效期間|聲明有效期限|聲明有效期間|本證書有效期至|本證書有效期限至
        本證有效期限至|本證有效期間|有效迄日|有效期迄|certificate valid until|certificate expiry date
        certificate expires on|certificate expiry|certificate expiration date
        this certificate is valid until|this certificate remains valid until
        certificate validity|registration valid until|notification valid until
        this certificate expires on|certificate valid from|this certificate is valid from""",
    Label.EXPIRY: """
        有效期限|有效期間|有效日期|有效期|有效期至|有效期限至|有效至|有效期限迄|失效日期|到期日|到期日期
        valid|valid until|valid to|valid till|valid through|valid up to|validity|validity period
        period of validity|expiry date|expiration date|date of expiry|date of expiration
        expires on|expires|expiry|expiration""",
    Label.LOT_EXPIRY: """
        保存期限|保存期間|保質期|使用期限|限用日期|賞味期限|限期使用日期|最佳使用期限|shelf life|best before
        best before end|use by|use before|exp|exp.|exp. date|exp date|product expiry date
        batch expiry date|lot expiry date|batch expiry|lot expiry|shelf life until
        sample expiry date|樣品有效期限|樣品有效日期|產品有效期限|批次有效日期|檢體有效期限""",
    Label.MANUFACTURE_DATE: """
        製造日期|生產日期|製造日|出廠日期|製造年月日|mfg|mfg.|mfg date|mfg. date|mfd|mfd.
        manufacturing date|manufacture date|date of manufacture|manufactured on
        production date|date of production|batch date""",
    Label.SIGNATURE: """
        簽名|簽章|簽署|親筆簽名|簽名欄|簽名或蓋章|簽名/蓋章|簽名蓋章|簽署人員簽名|簽署人員簽章|評估人員簽名
        安全資料簽署人員簽名|安全資料簽署人員簽章|簽署人簽名|簽署人簽章|負責人簽章|負責人簽名|授權簽名
        signature|signature of assessor|assessor signature|assessor's signature
        signature of safety assessor|signature of the safety assessor|authorised signature
        authorized signature|signed|signed by|digitally signed by|electronically signed by
        signature of signatory""",
    Label.SIGNER: """
        簽署人員|簽署人|簽署者|簽署人姓名|簽署人員姓名|安全資料簽署人員|安全資料簽署人員姓名|安全評估人員
        安全性評估人員|評估人員|評估人員姓名|評估人|安全評估員|safety assessor|assessor|signatory
        name of assessor|name of the assessor|name of safety assessor|assessor name
        name of signatory|name of the signatory|signatory name|safety assessor's name
        name of the safety assessor|signer|signer name|name of signer|報告簽署人|授權簽署人
        authorised signatory|authorized signatory|report signatory""",
    Label.PERSON: """
        姓名|學員姓名|學生姓名|受訓人員|受訓學員|學員|持證人|name|full name|name of participant
        participant|participant name|name of trainee|trainee|student|student name
        name of student|awarded to|presented to|conferred upon|granted to|this certifies that""",
    Label.METHOD: """
        方法|檢驗方法|試驗方法|測試方法|檢測方法|依據方法|檢驗依據|試驗依據|依據標準|測試標準|試驗標準|參考方法
        method|test method|methods|method of test|testing method|test standard|method used
        test procedure|according to|method reference""",
    Label.VERDICT: """
        判定|判定結果|綜合判定|結果判定|總判定|結論|試驗結論|檢驗結論|檢測結論|總結|整體判定|檢驗結果判定
        verdict|conclusion|conclusions|overall result|overall conclusion|overall verdict
        final result|judgement|judgment|test conclusion|pass/fail|overall assessment
        result of test|compliance|disposition|評定""",
    Label.STATUS: "狀態|文件狀態|status|document status|state",
    Label.FILLER: """
        no.|no|number|#|(zh)|(en)|中文|英文|chinese|english|of|the|及|and|與|和""",
    Label.OTHER: """
        文件編號|報告編號|證書編號|證書號碼|證號|編號|登錄編號|登錄號碼|樣品編號|檢體編號|收樣編號|委託編號|頁次
        頁碼|電話|傳真|電子郵件|統一編號|緊急電話|網址|聯絡人|聯絡電話|國別|原產地|產地|收樣日期|收件日期
        送驗日期|送檢日期|採樣日期|取樣日期|抽樣日期|檢驗日期|測試日期|試驗日期|試驗期間|檢測日期|測試期間
        檢驗期間|開始日期|完成日期|結束日期|列印日期|複驗日期|再驗日期|複測日期|稽核日期|下次稽核日期|出生日期
        出生年月日|生日|畢業日期|入學日期|核准日期|審核日期|校正日期|到貨日期|收貨日期|首次發行日期|初版日期
        訓練日期|上課日期|受訓日期|課程日期|首次發證日期|前次修訂日期|上次修訂日期|統計期間|樣品數量|樣品狀態
        樣品性狀|檢體數量|數量|批量|批次量|包裝|包裝規格|容器|規格|淨重|內容量|劑型|用途|種類|產品種類|產品類別
        產品類型|產品用途|類別|外觀|氣味|色澤|條件|試驗條件|結果|試驗結果|檢驗結果|測試結果|項目|限量|標準
        基準|判定基準|判定標準|合格標準|備註|附註|說明|範圍|驗證範圍|認證範圍|課程|課程名稱|時數|合計|學歷|學位
        科系|成分|成份|全成分|功能|供應|相別|步驟|溫度|時間|使用方法|用法|使用部位|使用注意事項|注意事項|保存方法
        建議|評估依據|核准|審核|製表|覆核|複核|負責人|代表人|職稱|品保|檢驗員|實驗室主管|主管|登錄狀態|頁|批次紀錄
        培養基批號|試劑批號|標準品批號|對照批號|目的|前言|摘要|化學名|化學名稱|分子式|純度|沸點|密度|黏度
        document no.|document no|document number|document id|report no.|report no
        report number|report id|report ref.|certificate no.|certificate no|certificate number
        registration no.|registration number|notification number|notification no.
        sample no.|sample no|sample number|sample id|sample code|sample ref.|laboratory no.
        lab no.|lab ref.|reference|ref.|our ref.|your ref.|order no.|job no.|page|pages|tel
        tel.|telephone|phone|fax|e-mail|email|website|emergency phone|emergency telephone
        contact|contact person|country|country of origin|origin|date received|received
        received on|receipt date|date of receipt|sample received|date of sampling
        sampling date|sampled on|tested on|tested|test date|date of test|date tested
        testing date|test period|study period|period|date started|start date|starting date
        end date|date completed|completion date|date of analysis|analysis date|print date
        printed|printed on|retest date|re-test date|date of retest|audited on|audit date
        date of audit|next audit|date of birth|born|graduation date|date of approval
        approval date|approved on|first issued|initial issue date|date of first issue
        date of previous issue|previous revision|supersedes|replaces|calibration date
        training date|course date|date of course|batch size|lot size|batch quantity
        batch record|batch records|quantity|sample quantity|sample size|sample condition
        sample type|pack|pack size|pack type|packaging|container|specification
        specifications|limit|limits|net content|net weight|dosage form|form|purpose|use
        intended use|type|kind|category|product type|product category|product group|product use
        product range|product line|product family|appearance|odour|odor|colour|color
        condition|conditions|test conditions|result|results|test results|item|test|tests
        parameter|property|criteria|criterion|acceptance criteria|standard|standards|remarks
        remark|notes|note|comments|scope|scope of certification|course|course title|hours
        total|degree|department|ingredients|ingredient|composition|function|phase|step
        temperature|time|directions|precautions|storage|advice|recommendation|approved by
        approved|checked by|reviewed by|reviewed|prepared by|prepared|author|compiled by|title
        position|quality manager|laboratory manager|study director|head of laboratory
        objective|purpose of test|introduction|summary|background|chemical name|cas|cas no.
        cas no|cas number|cas #|ec|ec no.|ec number|einecs|formula weight|molecular formula
        density|viscosity|product stage|product status|product code of supplier|test site
        site of application|application site|body site|company registration no.
        certificate type|version history|revision history|applied standard|period covered
        units sold|complaints|lot status|verdict criteria|pass criteria|strain|strains
        medium|units|market|lead auditor|auditor|director|manager|chairman|sample lot size
        formula weight %|formula sheet|formula type|product information file""",
}

_MODIFIERS: Final = (
    r"(?:(?:old|previous|former|original|control|reference|comparator|comparison"
    r"|placebo|competitor|blank|standard|other|similar|parent|medium|media|reagent|next"
    r"|first|initial|last|non)[\s-]+|原先|原始|前次|前|旧|对照组?|参考|标准品|比较|其他|类似|空白|下次"
    r"|培养基|试剂)"
)
"""Words before a label that make it speak of something else than this document."""


def _alternatives() -> dict[str, Label]:
    labels: dict[str, Label] = {}
    for label, words in _WORDS.items():
        for word in re.split(r"[|\n]", words):
            if word.strip():
                labels.setdefault(fold(word.strip()), label)
    return labels


def _pattern(word: str) -> str:
    """Return a pattern in which Chinese characters may be spaced: 品　　名."""
    spaced = re.sub(rf"(?<=[{CJK}])(?=[{CJK}])", "\x00", word)
    escaped = re.escape(spaced).replace("\x00", " {0,6}").replace(r"\ ", " +")
    start = r"(?<![0-9a-z])" if word[0].isascii() and word[0].isalnum() else ""
    end = r"(?![0-9a-z])" if word[-1].isascii() and word[-1].isalnum() else ""
    return f"{start}{escaped}{end}"


def _matchers(words: Iterable[str]) -> dict[str, re.Pattern[str]]:
    """Return a pattern for each beginning: one for all labels is 20 times slower."""
    groups: dict[str, list[str]] = {}
    for word in sorted(words, key=len, reverse=True):
        groups.setdefault(_beginning(word), []).append(_pattern(word))
    return {start: re.compile("|".join(group)) for start, group in groups.items()}


def _beginning(text: str) -> str:
    return text[:2] if text[:1].isascii() else text[:1]


LABELS: Final = _alternatives()
_MATCHERS: Final = _matchers(LABELS)
MODIFIER: Final = re.compile(_MODIFIERS)
DATE_LABELS: Final = frozenset(
    {
        Label.DATE, Label.ISSUE_DATE, Label.REVISION_DATE, Label.SIGNING_DATE,
        Label.VALID_FROM, Label.VALIDITY, Label.EXPIRY, Label.LOT_EXPIRY,
        Label.MANUFACTURE_DATE,
    }
)  # fmt: skip

PLACEHOLDER: Final = re.compile(
    fold(
        r"^[\s\-/_.~*()\[\]?]*$|^(?:n\.?/?a\.?|none|nil|tb[cda]|to be (?:confirmed|added"
        r"|advised)|pending|unknown|not applicable|not available|not stated|x{2,}|○+|〇+"
        r"|see .*|refer to .*|as (?:above|below|per .*)|same as .*|ditto|無|待補|待定|待確認"
        r"|不適用|同上|如上|如下|略|詳.*|見.*|請見.*|如附.*|標示於.*|未提供|未知|空白)$"
    )
)
"""Values that say nothing; folded."""


def label_at(folded: str, position: int) -> tuple[Label, int] | None:
    """Return the longest label at a place of folded text, and where it ends."""
    matcher = _MATCHERS.get(_beginning(folded[position : position + 2]))
    match = matcher.match(folded, position) if matcher else None
    if match is None:
        return None
    squeezed = re.sub(rf"(?<=[{CJK}]) +(?=[{CJK}])", "", match[0])
    return LABELS[re.sub(r" +", " ", squeezed)], match.end()
