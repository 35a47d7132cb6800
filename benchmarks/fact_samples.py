"""Papers written by hand in the manner of many offices, with their facts.

They were written after the rules and scored once before any rule was changed for them;
the figure of that first run stands in ADR 0032. All names are invented.
"""

from collections.abc import Iterator

from benchmarks.fact_papers import FactPaper

_SAMPLES: tuple[tuple[str, str, str, dict[str, tuple[str, ...]]], ...] = (
    ("microbial", "zh-Hant", """\
禾信檢測科技股份有限公司
HEXIN TESTING TECHNOLOGY CO., LTD.
微生物試驗報告
報告號碼：HX-115-00217                         發行日：115年02月11日
客戶：青籐國際有限公司
客戶地址：新北市虛構區中山路一段 20 號 8 樓
檢品名稱：青籐柔膚化粧水
檢品批號：QT-2601-07
檢品狀態：液體，150 mL 瓶裝
收樣：115.01.28    測試：115.01.29 ~ 115.02.05
檢測項目\t檢測方法\t檢測值\t單位\t容許量
好氧性總菌數\tISO 21149:2017\t<10\tCFU/mL\t1000 以下
綠膿桿菌\tISO 22717:2015\t未檢出\t/ mL\t不得檢出
本報告結果判定：符合化粧品中微生物容許量基準
報告簽署人：簡正宏
--- 報告結束 ---
""", {"issuer": ("禾信檢測科技股份有限公司",), "company": ("青籐國際有限公司",),
      "document_date": ("2026-02-11",), "product_name": ("青籐柔膚化粧水",),
      "lot": ("QT-2601-07",), "method": ("ISO 21149:2017", "ISO 22717:2015"),
      "verdict": ("pass",), "signer_name": ("簡正宏",)}),
    ("challenge", "en", """\
Northgate Micro Labs Ltd
Report of Analysis - Preservative Challenge Test

Report reference   NML/26/0442
Client             Willow & Thyme Ltd
Sample description Calming Oat Body Wash
Client batch code  WT25-118
Date of receipt    6 Jan 2026
Date tested        8 Jan 2026 - 5 Feb 2026
Date of report     9 Feb 2026
Procedure          BS EN ISO 11930:2019+A1:2022

Organism                 7 d    14 d    28 d
Staph. aureus            >3.5   >3.5    NI
Candida albicans         >1.2   >1.4    NI

CONCLUSION: The product satisfies criterion A.

Signed: E. Harrow          Position: Technical Manager
""", {"issuer": ("Northgate Micro Labs Ltd",), "company": ("Willow & Thyme Ltd",),
      "product_name": ("Calming Oat Body Wash",), "lot": ("WT25-118",),
      "document_date": ("2026-02-09",), "method": ("ISO 11930:2019",),
      "verdict": ("pass",), "signature": ("signed",), "signer_name": ("E. Harrow",)}),
    ("stability", "zh-Hant", """\
安定性試驗報告書
版本：01
產品：青籐柔膚化粧水（QT-TONER）
配方版本：V3
試製批號：QT-P-03
試驗起訖：2025/08/01～2025/11/03
試驗條件：45℃ 三個月、冷熱循環 6 次
觀察結果：外觀、氣味、pH 均無明顯變化
試驗結論：本產品於試驗期間安定性良好，符合內控標準
製表：周惠    覆核：鄭凱
製表日期：2025/11/05
""", {"product_name": ("青籐柔膚化粧水",), "formula_version": ("3",),
      "lot": ("QT-P-03",), "verdict": ("pass",), "document_date": ("2025-11-05",)}),
    ("gmp", "en", """\
EUROCERT FICTIONAL S.A.
CERTIFICATE No 22716/0091
EUROCERT FICTIONAL hereby certifies that
LABORATOIRES DES COLLINES SAS
12 rue des Pins, 06130 Ville-Fictive, France
complies with the requirements of
ISO 22716:2007 Cosmetics - Good Manufacturing Practices
for the following activities: manufacture and packaging of skin care products
Date of first certification: 12/03/2019
Date of current issue: 12 March 2025
Valid until: 11 March 2028
On behalf of EUROCERT FICTIONAL: M. Leroy
""", {"issuer": ("EUROCERT FICTIONAL S.A.",), "company": ("LABORATOIRES DES COLLINES SAS",),
      "site": ("12 rue des Pins, 06130 Ville-Fictive, France",),
      "document_date": ("2025-03-12",), "valid_until": ("2028-03-11",)}),
    ("gmp", "zh-Hant", """\
衛生福利部食品藥物管理署 函
化粧品優良製造證明書
證明書字號：衛授食字第1140001234號
茲證明下列化粧品製造場所，業經檢查符合化粧品優良製造準則：
公司名稱：曜石生醫股份有限公司
製造場所：曜石生醫股份有限公司二廠
製造場所地址：桃園市虛構區科技一路 9 號
劑型及作業：乳液劑、霜劑（調製、充填、包裝）
有效期限：自 114 年 7 月 1 日至 117 年 6 月 30 日
中華民國 114 年 6 月 20 日
""", {"company": ("曜石生醫股份有限公司",),
      "site": ("曜石生醫股份有限公司二廠", "桃園市虛構區科技一路 9 號"),
      "valid_from": ("2025-07-01",), "valid_until": ("2028-06-30",),
      "document_date": ("2025-06-20",)}),
    ("sds", "en", """\
SAFETY DATA SHEET
Conforms to Regulation (EC) No. 1907/2006 (REACH), Annex II

SILKOL® 350
Version: 4.0    Date of issue: 2024-11-18    Supersedes version of: 2021-03-02

SECTION 1: Identification of the substance/mixture and of the company
1.1. Product identifier
Trade name : SILKOL 350
Chemical name: Dimethicone
CAS No : 63148-62-9
1.3. Details of the supplier
Manufacturer: Siliconova GmbH
Musterweg 3, D-00000 Fiktivstadt
SECTION 2: Hazards identification
SECTION 3: Composition/information on ingredients
SECTION 4: First aid measures
SECTION 5: Firefighting measures
SECTION 6: Accidental release measures
""", {"trade_name": ("SILKOL 350",), "cas_number": ("63148-62-9",),
      "company": ("Siliconova GmbH",), "document_date": ("2024-11-18",)}),
    ("sds", "zh-Hant", """\
安全資料表
一、化學品與廠商資料
化學品名稱：甘油 (Glycerin USP)
其他名稱：丙三醇
製造者、輸入者或供應者名稱、地址及電話：東濱化學股份有限公司，高雄市虛構區港路 7 號
緊急聯絡電話：07-5550-111
二、危害辨識資料
三、成分辨識資料
中英文名稱：甘油 Glycerin    化學文摘社登記號碼（CAS No.）：56-81-5
四、急救措施
五、滅火措施
十六、其他資料
製表日期：113年9月2日
""", {"trade_name": ("甘油 (Glycerin USP)",), "cas_number": ("56-81-5",),
      "company": ("東濱化學股份有限公司",), "document_date": ("2024-09-02",)}),
    ("raw_material_spec", "en", """\
CERTIFICATE OF ANALYSIS
Material: NIACINOL PC
INCI: Niacinamide
Lot #: 2511-0087
Manufacturing Date: Nov-05-2025
Re-test Date: Nov-04-2028
Parameter | Specification | Result
Appearance | White crystalline powder | Conforms
Assay (HPLC) | 99.0 - 101.0 % | 99.8 %
Heavy metals | <= 10 ppm | < 10 ppm
Approved by QC: D. Novak, 12 November 2025
""", {"trade_name": ("NIACINOL PC",), "inci_name": ("Niacinamide",),
      "lot": ("2511-0087",), "manufacture_date": ("2025-11-05",)}),
    ("notification", "zh-Hant", """\
化粧品產品登錄平台
產品登錄明細
登錄編號：T115000871
登錄狀態：登錄完成
產品登錄日：2026/01/15        有效期限：2029/01/14
產品名稱（中文）：青籐柔膚化粧水
產品名稱（英文）：Green Vine Softening Toner
產品種類：化妝水/油/面霜乳液類
製造或輸入業者：青籐國際有限公司
製造廠：曜石生醫股份有限公司二廠
製造廠地址：桃園市虛構區科技一路 9 號
""", {"product_name": ("青籐柔膚化粧水", "Green Vine Softening Toner"),
      "document_date": ("2026-01-15",), "valid_until": ("2029-01-14",),
      "company": ("青籐國際有限公司", "曜石生醫股份有限公司二廠"),
      "site": ("桃園市虛構區科技一路 9 號",)}),
    ("credentials", "zh-Hant", """\
虛構醫學大學
結業證書
學員 沈若瑜 參加本校辦理之「化粧品安全資料簽署人員訓練課程」
共計 54 小時，成績及格，特發此證。
校長 汪大為
中華民國一百一十年十二月十五日
""", {"issuer": ("虛構醫學大學",), "signer_name": ("沈若瑜",),
      "document_date": ("2021-12-15",)}),
    ("credentials", "en", """\
Fictional Polytechnic Institute
DIPLOMA
The Senate of the Fictional Polytechnic Institute has conferred upon
SHEN JO-YU
the degree of Bachelor of Science in Pharmacy
on the thirtieth day of June 2012
""", {"issuer": ("Fictional Polytechnic Institute",), "signer_name": ("SHEN JO-YU",)}),
    ("assessment", "zh-Hant", """\
產品安全性評估結論及建議
產品中文名稱：青籐柔膚化粧水
產品英文名稱：Green Vine Softening Toner
配方編號：QT-TN-V3
評估結論：依現有資料，本產品於正常使用下對人體健康無安全疑慮。
建議：避免接觸眼睛。
安全資料簽署人員：沈若瑜　　　（簽名）沈若瑜
簽署日期：115 年 3 月 2 日
""", {"product_name": ("青籐柔膚化粧水", "Green Vine Softening Toner"),
      "formula_code": ("QT-TN-V3",), "signer_name": ("沈若瑜",),
      "signature": ("signed",), "signed_on": ("2026-03-02",),
      "document_date": ("2026-03-02",)}),
    ("assessment", "en", """\
COSMETIC PRODUCT SAFETY REPORT
Part B - Cosmetic product safety assessment
Product: Calming Oat Body Wash
Formula ref: WT-BW-07 Rev 2
Responsible Person: Willow & Thyme Ltd
Assessment conclusion: The product is safe for its intended use.
Name of safety assessor: Dr Helen Marsh, ERT
Address: 4 Chapel Lane, Fictown
Qualification: PhD Toxicology
Signature: ..............................
Date: ..............................
""", {"product_name": ("Calming Oat Body Wash",), "formula_code": ("WT-BW-07",),
      "formula_version": ("2",), "company": ("Willow & Thyme Ltd",),
      "signer_name": ("Helen Marsh",), "signature": ("blank",)}),
    ("assessment", "zh-Hans", """\
化妆品安全评估报告（送审稿，尚未签署）
产品名称：青藤柔肤化妆水
注册人/备案人：青藤国际有限公司
评估单位：虚构评估中心
评估人：沈若瑜
评估日期：2026年03月02日
""", {"product_name": ("青藤柔肤化妆水",), "company": ("青藤国际有限公司",),
      "signer_name": ("沈若瑜",), "document_date": ("2026-03-02",),
      "signature": ("unsigned",), "issuer": ("虚构评估中心",)}),
    ("microbial", "zh-Hans", """\
检 测 报 告
报告编号：WT202601188
样品名称 青藤柔肤化妆水
委托单位 青藤国际有限公司
生产批号 2601007    生产日期 2026-01-06    限期使用日期 2029-01-05
检测项目 菌落总数、霉菌和酵母菌总数、铜绿假单胞菌、金黄色葡萄球菌
检测依据 化妆品安全技术规范（2015年版）
检测结论 所检项目符合要求
签发日期 2026年01月20日
""", {"product_name": ("青藤柔肤化妆水",), "company": ("青藤国际有限公司",),
      "lot": ("2601007",), "manufacture_date": ("2026-01-06",),
      "lot_expiry_date": ("2029-01-05",), "verdict": ("pass",),
      "document_date": ("2026-01-20",)}),
    ("efficacy", "en", """\
CLINICAL STUDY REPORT
In vivo determination of the Sun Protection Factor
Study number: DER-26-031
Sponsor: Willow & Thyme Ltd
Investigational site: Derma Fiction Institute
Test product: Daily Shade Fluid SPF 50 (batch DSF-002)
Standard followed: ISO 24444:2019
Study dates: from 2 February 2026 to 20 February 2026
Report issued: 27 February 2026
Mean SPF: 53.1 (n = 10)
""", {"company": ("Willow & Thyme Ltd",),
      "product_name": ("Daily Shade Fluid SPF 50",), "lot": ("DSF-002",),
      "method": ("ISO 24444:2019",), "document_date": ("2026-02-27",)}),
    ("product_spec", "bilingual", """\
成品規格書 Finished Product Specification
產品名稱 Product Name\t青籐柔膚化粧水 Green Vine Softening Toner
產品代號 Product Code\tQT-TONER-150
版次 Revision\t2
生效日期 Effective Date\t2025/12/01
項目 Item\t規格 Specification\t方法 Method
外觀 Appearance\t無色透明液體 clear liquid\t目視 visual
pH (25°C)\t5.0-6.5\tpH meter
總生菌數 TAMC\t≤ 1000 CFU/mL\tISO 21149
核准 Approved by\t鄭凱\t日期 Date\t2025/11/28
""", {"product_name": ("青籐柔膚化粧水 Green Vine Softening Toner",),
      "product_code": ("QT-TONER-150",), "valid_from": ("2025-12-01",),
      "method": ("ISO 21149",), "document_date": ("2025-11-28",)}),
    ("process", "zh-Hant", """\
曜石生醫股份有限公司二廠
批次製造紀錄
品名：青籐柔膚化粧水    品號：QT-TONER    配方：QT-TN-V3
批號：QT-2601-07    批量：500 kg    製造日期：115/01/07
步驟 1 投料：純水 430 kg，攪拌 300 rpm 20 分鐘
步驟 2 加熱至 60 ℃，冷卻至 35 ℃
步驟 3 充填
""", {"issuer": ("曜石生醫股份有限公司二廠",), "product_name": ("青籐柔膚化粧水",),
      "product_code": ("QT-TONER",), "formula_code": ("QT-TN-V3",),
      "lot": ("QT-2601-07",), "manufacture_date": ("2026-01-07",)}),
    ("adverse", "bilingual", """\
產品使用不良反應聲明書 Statement on undesirable effects
產品名稱 Product：青籐柔膚化粧水
自 2025 年 1 月 1 日至 2026 年 2 月 28 日止，未接獲任何不良反應通報。
公司 Company：青籐國際有限公司（蓋章）
負責人：許家豪
日期：2026 年 3 月 3 日
""", {"product_name": ("青籐柔膚化粧水",), "company": ("青籐國際有限公司",),
      "document_date": ("2026-03-03",)}),
    ("packaging", "en", """\
Packaging material declaration
We, Fictiplast Packaging Ltd, confirm that the item below
Item: PET bottle 150 ml, neck 24/410
Material: PET (body), PP (cap), LDPE (liner)
complies with the limits for heavy metals.
Place, date: Fictown, 14 October 2025
""", {}),
    ("challenge", "zh-Hant", """\
防腐效能測試報告                                   頁次：1/2
樣品編號：A115-0031
樣品：青籐柔膚化粧水，批號 QT-2601-07
測試方法：USP<51>
培養基批號：TSA-0925
起始日：2026.01.12   完成日：2026.02.09
結果判讀：第14天及第28天細菌降低未達 2.0 log
判定：□ Pass  ■ Fail
""", {"product_name": ("青籐柔膚化粧水",), "lot": ("QT-2601-07",),
      "method": ("USP <51>",), "verdict": ("fail",)}),
)  # fmt: skip


def samples() -> Iterator[FactPaper]:
    """Yield the papers."""
    for kind, language, text, facts in _SAMPLES:
        truth = {name: set(values) for name, values in facts.items()}
        yield FactPaper(kind, language, "by hand", (text,), truth, is_tidy=False)
