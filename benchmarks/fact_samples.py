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
試驗起訖：2025/08/01 至 2025/11/03
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
""", {"issuer": ("EUROCERT FICTIONAL S.A.",),
      "company": ("LABORATOIRES DES COLLINES SAS",),
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
""", {"issuer": ("衛生福利部食品藥物管理署",),
      "company": ("曜石生醫股份有限公司",),
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
      "document_date": ("2026-03-03",), "signer_name": ("許家豪",),
      "period_from": ("2025-01-01",), "period_until": ("2026-02-28",)}),
    ("packaging", "en", """\
Packaging material declaration
We, Fictiplast Packaging Ltd, confirm that the item below
Item: PET bottle 150 ml, neck 24/410
Material: PET (body), PP (cap), LDPE (liner)
complies with the limits for heavy metals.
Place, date: Fictown, 14 October 2025
""", {"company": ("Fictiplast Packaging Ltd",), "document_date": ("2025-10-14",)}),
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
    ("microbial", "en", """\
Page 1 of 2
TEST REPORT
No. SHC-26-0777                                   Date: Feb 12, 2026
LUMEN DE MER COSMETICS INC.
ROOM 4, 9F, FICTION TOWER

The following sample was submitted and identified on behalf of the client as:
Sample Name: Pearl Veil Face Mist
SGS-like job ref: 88-77
Batch #: PVM-0126-B
Sample Receiving Date: Feb 03, 2026
Testing Period: Feb 03, 2026 to Feb 11, 2026
Test Requested: Total Plate Count, Yeast and Mold, E. coli, S. aureus
Test Method: With reference to ISO 21149:2017 and ISO 16212:2017
Total aerobic count  <10 CFU/mL    E. coli  Not detected
Conclusion: When tested as specified, the submitted sample complied with the limits.
""", {"product_name": ("Pearl Veil Face Mist",), "lot": ("PVM-0126-B",),
      "document_date": ("2026-02-12",), "verdict": ("pass",),
      "method": ("ISO 21149:2017", "ISO 16212:2017")}),
    ("stability", "en", """\
ACCELERATED STABILITY STUDY - FINAL REPORT
Product / Formula:  Pearl Veil Face Mist / PVM-F3
Pilot batch:        PVM-P1 (5 kg)
Storage:            45 C, 12 weeks; 3 freeze-thaw cycles
Initiated:          01-Sep-2025
Concluded:          24-Nov-2025
Compared with batch PVM-P0 (glass), the colour changed less.
Outcome: all parameters stayed within limits. Proposed shelf life 24 months.
Author: R. Okafor        Approver: L. Sand, 26-Nov-2025
""", {"lot": ("PVM-P1",), "verdict": ("pass",)}),
    ("gmp", "zh-Hant", """\
ISO 22716 驗證證書
Certificate of Registration
茲證明 This certifies that
海棠化粧品廠股份有限公司
HAITANG COSMETICS MANUFACTURING CO., LTD.
宜蘭縣虛構鄉海濱路 100 號
之化粧品優良製造管理系統符合 ISO 22716:2007
證書編號 Certificate No.：HT-22716-9
初次核發 Initial issue：2018-08-08
本次核發日期 Issue date：2024-08-08
到期日 Expiry date：2027-08-07
""", {"company": ("海棠化粧品廠股份有限公司",), "document_date": ("2024-08-08",),
      "valid_until": ("2027-08-07",)}),
    ("credentials", "zh-Hant", """\
畢業證書
（101）虛大藥字第 00123 號
學生沈若瑜 中華民國七十八年四月九日生
在本校藥學院藥學系修業期滿成績及格准予畢業
依學位授予法之規定授予藥學學士學位
虛構醫學大學校長 汪大為
中華民國一〇一年六月三十日
""", {"signer_name": ("沈若瑜",), "document_date": ("2012-06-30",)}),
    ("assessment", "zh-Hant", """\
化粧品產品安全性評估報告
壹、產品基本資料
一、品名：珍珠柔光噴霧（Pearl Veil Face Mist）
二、劑型：液劑
三、委託廠商：露曼股份有限公司
貳、評估結論
本品依所附資料評估，於標示用法下使用為安全。
參、簽署
安全資料簽署人員　　　　　　　　　　　　（親簽）
日期　　　年　　月　　日
""", {"product_name": ("珍珠柔光噴霧 (Pearl Veil Face Mist)",),
      "company": ("露曼股份有限公司",)}),
    ("assessment", "en", """\
DRAFT FOR CLIENT COMMENT
Cosmetic Product Safety Assessment
Product name        Pearl Veil Face Mist
Product reference   PVM-030
Assessor            Dr. Ingrid Holm
Signed on           not yet
""", {"product_name": ("Pearl Veil Face Mist",), "product_code": ("PVM-030",),
      "signer_name": ("Ingrid Holm",), "signature": ("draft",)}),
    ("product_spec", "zh-Hant", """\
成品檢驗成績書
品名：珍珠柔光噴霧　　　　　規格：100 mL
批號：PVM0126B　　　　　　製造日期：115.01.26
有效期限：118.01.25　　　　檢驗日期：115.01.28
檢驗項目　規格　檢驗結果　判定
外觀　　澄清液體　澄清液體　合格
pH　　　5.0-7.0　　6.1　　　合格
檢驗結果：合格
檢驗者：林 主管：陳
""", {"product_name": ("珍珠柔光噴霧",), "lot": ("PVM0126B",), "verdict": ("pass",),
      "manufacture_date": ("2026-01-26",), "lot_expiry_date": ("2029-01-25",)}),
    ("raw_material_spec", "zh-Hant", """\
原料檢驗報告單
原料名稱：玻尿酸鈉
商品名：HYALO-SOFT 1.5
INCI Name：Sodium Hyaluronate
CAS No.：9067-32-7
供應商：東濱化學股份有限公司
進貨批號：HS-2510
製造日期：2025.10.02　再驗日：2027.10.01
檢驗結果：□不合格 ■合格
""", {"trade_name": ("玻尿酸鈉", "HYALO-SOFT 1.5"),
      "inci_name": ("Sodium Hyaluronate",),
      "cas_number": ("9067-32-7",), "company": ("東濱化學股份有限公司",),
      "lot": ("HS-2510",), "manufacture_date": ("2025-10-02",), "verdict": ("pass",)}),
    ("efficacy", "zh-Hant", """\
保濕功效測試報告
委託者：露曼股份有限公司
執行單位：虛構皮膚科學股份有限公司
測試產品：珍珠柔光噴霧
產品批號：PVM0126B
對照產品：市售品 A
受試者：30 人
測試部位：前臂
測試日期：2026/02/02-2026/02/06
報告完成日：2026/02/20
結論：使用後角質含水量較使用前顯著提升 28 %。
""", {"company": ("露曼股份有限公司",), "issuer": ("虛構皮膚科學股份有限公司",),
      "product_name": ("珍珠柔光噴霧",), "lot": ("PVM0126B",),
      "document_date": ("2026-02-20",)}),
    ("challenge", "zh-Hans", """\
防腐效能测试报告
样品：珍珠柔光喷雾
样品批号：PVM0126B
委托方：露曼股份有限公司
测试依据：ISO 11930-2019
接种日期：2026-01-30
报告日期：2026-03-02
结论：在28天内满足ISO 11930标准A的要求。
""", {"product_name": ("珍珠柔光喷雾",), "lot": ("PVM0126B",),
      "company": ("露曼股份有限公司",), "method": ("ISO 11930:2019",),
      "document_date": ("2026-03-02",), "verdict": ("pass",)}),
    ("notification", "en", """\
Cosmetic Product Notification - Summary
Notification No.: TFDA-99-8812
Notified by: Luman Co., Ltd.
Product (English): Pearl Veil Face Mist
Product (Chinese): 珍珠柔光噴霧
Date of notification: 2026/01/30
Expires: 2029/01/29
Manufacturing facility: Haitang Cosmetics Manufacturing Co., Ltd., Yilan
""", {"company": ("Luman Co., Ltd.",),
      "product_name": ("Pearl Veil Face Mist", "珍珠柔光噴霧"),
      "document_date": ("2026-01-30",), "valid_until": ("2029-01-29",),
      "site": ("Haitang Cosmetics Manufacturing Co., Ltd., Yilan",)}),
    ("sds", "en", """\
SAFETY DATA SHEET            HYALO-SOFT 1.5
Revision: 2            Revised: 3 June 2024            Printed: 1 July 2025
1. IDENTIFICATION
Product Name: HYALO-SOFT 1.5
Synonyms: Sodium hyaluronate, CAS 9067-32-7
Company Identification: Tungpin Chemical Co., Ltd.
2. HAZARD(S) IDENTIFICATION
4. FIRST-AID MEASURES
5. FIRE-FIGHTING MEASURES
6. ACCIDENTAL RELEASE MEASURES
""", {"trade_name": ("HYALO-SOFT 1.5",), "cas_number": ("9067-32-7",),
      "company": ("Tungpin Chemical Co., Ltd.",), "document_date": ("2024-06-03",)}),
)  # fmt: skip


def samples() -> Iterator[FactPaper]:
    """Yield the papers."""
    for kind, language, text, facts in _SAMPLES:
        truth = {name: set(values) for name, values in facts.items()}
        yield FactPaper(kind, language, "by hand", (text,), truth, is_tidy=False)
