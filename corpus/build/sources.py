"""Flat ODF sources of the office files, which LibreOffice writes in other formats. All people are fictional."""

from xml.sax.saxutils import escape

NAMESPACES = " ".join(
    f'xmlns:{prefix}="urn:oasis:names:tc:opendocument:xmlns:{name}:1.0"'
    for prefix, name in [
        ("office", "office"), ("style", "style"), ("text", "text"), ("table", "table"), ("draw", "drawing"),
        ("presentation", "presentation"), ("meta", "meta"),
    ]
) + (
    ' xmlns:fo="urn:oasis:names:tc:opendocument:xmlns:xsl-fo-compatible:1.0"'
    ' xmlns:svg="urn:oasis:names:tc:opendocument:xmlns:svg-compatible:1.0"'
    ' xmlns:dc="http://purl.org/dc/elements/1.1/"'
)
FONT = (
    '<office:font-face-decls><style:font-face style:name="IPAexGothic" svg:font-family="IPAexGothic"/>'
    "</office:font-face-decls>"
)
STYLES = (
    '<office:styles><style:default-style style:family="{family}"><style:text-properties style:font-name="IPAexGothic"'
    ' style:font-name-asian="IPAexGothic" fo:font-size="{size}" style:font-size-asian="{size}"'
    ' fo:language="none" style:language-asian="ja" style:country-asian="JP"/></style:default-style></office:styles>'
)
PAGE = (
    '<office:automatic-styles><style:page-layout style:name="page"><style:page-layout-properties'
    ' fo:page-width="{width}" fo:page-height="{height}" fo:margin="2cm" style:writing-mode="{mode}"/>'
    '</style:page-layout></office:automatic-styles><office:master-styles><style:master-page'
    ' style:name="{master}" style:page-layout-name="page"/></office:master-styles>'
)


def document(kind, title, head, body, mimetype=None):
    """One flat ODF document of `kind` (text, spreadsheet, presentation, drawing); `mimetype` ends its type."""
    return (
        f'<?xml version="1.0" encoding="UTF-8"?>\n<office:document {NAMESPACES} office:version="1.3"'
        f' office:mimetype="application/vnd.oasis.opendocument.{mimetype or kind}">'
        f"<office:meta><dc:title>{escape(title)}</dc:title></office:meta>{FONT}{head}"
        f"<office:body><office:{kind}>{body}</office:{kind}></office:body></office:document>"
    )


def text(title, paragraphs, mode="lr-tb"):
    """A text document; `mode` tb-rl is vertical Japanese writing."""
    page = PAGE.format(width="21cm", height="29.7cm", mode=mode, master="Standard")
    body = "".join(f"<text:p>{escape(line)}</text:p>" for line in [title, "", *paragraphs])
    return document("text", title, STYLES.format(family="paragraph", size="11pt") + page, body)


def sheet(title, rows):
    """A spreadsheet of one table."""
    def cell(value):
        kind = f'office:value-type="float" office:value="{value}"' if isinstance(value, int) else \
            'office:value-type="string"'
        return f"<table:table-cell {kind}><text:p>{escape(str(value))}</text:p></table:table-cell>"

    lines = "".join(f"<table:table-row>{''.join(map(cell, row))}</table:table-row>" for row in rows)
    body = f'<table:table table:name="{escape(title)}">{lines}</table:table>'
    return document("spreadsheet", title, STYLES.format(family="table-cell", size="10pt"), body)


def slides(title, pages):
    """A presentation: per page a heading and lines."""
    def frame(top, height, lines):
        paragraphs = "".join(f"<text:p>{escape(line)}</text:p>" for line in lines)
        return (
            f'<draw:frame svg:x="2cm" svg:y="{top}cm" svg:width="21cm" svg:height="{height}cm">'
            f"<draw:text-box>{paragraphs}</draw:text-box></draw:frame>"
        )

    page = PAGE.format(width="25.4cm", height="14.29cm", mode="lr-tb", master="Default")
    body = "".join(
        f'<draw:page draw:name="page{number}" draw:master-page-name="Default">'
        f"{frame(1, 2, [heading])}{frame(4, 8, lines)}</draw:page>"
        for number, (heading, lines) in enumerate(pages, 1)
    )
    return document("presentation", title, STYLES.format(family="graphic", size="20pt") + page, body)


def drawing(title, width, height, shapes):
    """A drawing of one page: boxes with a label each, as (x, y, width, height, label), all in centimetres."""
    boxes = "".join(
        f'<draw:rect svg:x="{x}cm" svg:y="{y}cm" svg:width="{across}cm" svg:height="{down}cm">'
        f"<text:p>{escape(label)}</text:p></draw:rect>"
        for x, y, across, down, label in shapes
    )
    styles = STYLES.format(family="graphic", size="12pt")
    outlined = styles.replace("<style:text-p", '<style:graphic-properties draw:fill="none"/><style:text-p')
    page = PAGE.format(width=f"{width}cm", height=f"{height}cm", mode="lr-tb", master="Default")
    body = f'<draw:page draw:name="page1" draw:master-page-name="Default">{boxes}</draw:page>'
    return document("drawing", title, outlined + page, body, "graphics")


APPLICANT = ["申請者 川崎 太郎(架空)", "住所 川崎市川崎区宮本町1番地", "電話 044-000-0000"]

TEXTS = {
    "drainage-plan": text("排水設備計画書", [
        *APPLICANT, "工事の場所 川崎市中原区(架空)1-2-3", "設計 汚水管 VU100 勾配 2/100、雨水桝 300角 4箇所",
        "上記のとおり計画しましたので、川崎市下水道条例に基づき確認を申請します。",
    ]),
    "business-plan": text("事業計画書", [
        *APPLICANT, "事業の名称 かわさき子ども科学教室", "期間 令和6年7月20日から8月31日まで",
        "会場 市内の市民館 6か所、参加見込み 各回 30人", "収入 120,000円 支出 118,400円",
    ]),
    "sponsorship-vertical": text("後援名義使用申請書", [
        "市民文化局事業の後援名義の使用について、左記のとおり申請いたします。", "記",
        "一 事業の名称 多摩川写真展", "二 期日 令和六年八月三日", *APPLICANT,
    ], mode="tb-rl"),
    "collection-request": text("ごみ収集申込書", [
        *APPLICANT, "品目 たんす 1、自転車 2、電子レンジ 1", "収集希望日 令和6年6月4日(火)",
    ]),
    "sponsorship-request": text("共催・後援申請書", [
        *APPLICANT, "団体名 かわさき音楽を楽しむ会(架空)", "事業の目的 市民が気軽に音楽に親しむ機会をつくる。",
        "入場料 無料", "添付書類 企画書、収支予算書、会員名簿の様式",
    ]),
    "correction-request": text("申請不備の補正について", [
        *APPLICANT, "ご連絡のあった口座情報の誤りを次のとおり訂正します。", "誤 1234567 正 7654321",
    ]),
    "traffic-class": text("小学校交通安全教室 詳細回答", [
        "学校名 川崎市立(架空)小学校", "希望日 第1 6月12日、第2 6月19日", "参加人数 3年生 92人、4年生 88人",
        "雨天の場合 体育館で実施",
    ]),
    "pool-inspection": text("学校水泳プール排(環)水口点検結果報告", [
        "学校名 川崎市立(架空)小学校", "点検日 令和6年5月24日", "排水口の蓋 固定ボルト 4本 異常なし",
        "吸い込み防止金具 異常なし", "写真 別添 3枚",
    ]),
    "donation-form": text("ふるさと応援寄附金申込書(企業・団体様用)", [
        "法人名 株式会社かわさき製作所(架空)", "代表者 川崎 花子", "寄附金額 金100,000円", "使い道 子育て支援",
    ]),
    "call-notes": text("消費生活相談の経過", [
        "5月20日 事業者から電話。無料点検と言われた。", "5月21日 契約書を受け取った。金額 498,000円。",
        "5月23日 クーリング・オフの通知を出した。", *APPLICANT,
    ]),
    "yearly-plan": text("年間事業実施計画", [
        "団体名 かわさき緑のまちづくり協議会(架空)", "4月 総会、花壇の植え替え", "7月 打ち水、親子自然観察会",
        "10月 落ち葉の堆肥づくり講座", "2月 活動報告会", "事業費 計 184,000円(うち補助金 120,000円)",
    ]),
    "accident-report": text("事故報告書(第1報)", [
        "事業所 デイサービスかわさき(架空)", "発生日時 令和6年5月24日 14時20分ごろ", "場所 食堂の出入口",
        "状況 立ち上がる際に転倒し、右手首を打撲した。", "対応 受診(骨折なし)。家族へ15時に連絡した。",
        "再発防止 椅子の配置を見直し、見守りを1名増やす。",
    ]),
    "house-rules": text("管理規約(抄)", [
        "(架空)川崎ハイツ管理組合", "第1条 この規約は、建物の管理について必要な事項を定める。",
        "第12条 組合員は、管理費及び修繕積立金を納入しなければならない。", "第25条 総会は、毎年5月に招集する。",
    ]),
    "drainage-done": text("排水設備工事完成届", [
        *APPLICANT, "確認番号 第0000号", "工事の場所 川崎市中原区(架空)1-2-3", "完成年月日 令和6年5月24日",
        "指定工事店 かわさき設備(架空) 責任技術者 中原 三郎(架空)", "添付 完成図、写真",
    ]),
    "hearing-claim": text("新生児聴覚検査費用 助成申請書(償還払い)", [
        *APPLICANT, "受診日 令和6年5月20日", "検査の種類 自動聴性脳幹反応検査(自動ABR)", "医療機関 (架空)県外の産婦人科医院",
        "支払額 5,000円",
    ]),
    "photo-entry": text("写真 応募用紙", [
        "題名 登戸の夕景", "撮影場所 多摩川の河川敷(架空)", "撮影時期 昭和50年ごろ", "応募者 多摩 花子(架空)", "写真の使用に同意します。",
    ]),
    "enrolment-report": text("在学状況届", [
        *APPLICANT, "貸付番号 第000号", "学校 (架空)大学 工学部 2年次", "在学証明書は5月20日に発行されたものを添付します。",
    ]),
    "minutes": text("第12回 通常総会 議事録", [
        "(架空)川崎ハイツ管理組合", "日時 令和6年5月19日 10時", "出席 24名、委任状 6名(総数 36名)", "第1号議案 決算報告 承認",
        "第2号議案 管理組合登録の申請 承認", "議事録署名人 川崎 太郎、多摩 花子(架空)",
    ]),
    "development-outline": text("開発行為の概要", [
        *APPLICANT, "区域 川崎市宮前区(架空)7-8-9、面積 1,240平方メートル", "予定建築物 一戸建ての住宅 8戸", "道路 幅員 5.0メートル、雨水は浸透ます",
    ]),
    "vaccination": text("接種記録の訂正について", [
        "氏名 川崎 花子(架空)", "誤 1回目 令和3年7月10日", "正 1回目 令和3年7月17日", "接種券の写しを添付します。",
    ]),
    "signboard-change": text("特例屋外広告業届出事項変更届出書", [
        "届出者 株式会社かわさき看板(架空)", "変更の事項 業務主任者", "変更前 川崎 太郎(架空) 変更後 多摩 花子(架空)",
        "変更の年月日 令和6年5月1日", "添付 資格を証する書面の写し",
    ]),
    "account-form": text("振込先口座の訂正届", [
        *APPLICANT, "誤 (架空)かわさき銀行 本店 普通 0000123", "正 (架空)かわさき銀行 本店 普通 0000132",
        "通帳の写しを添付します。",
    ]),
    "food-consent": text("食品衛生申請の手続きに関する同意書", [
        "施設名 (架空)公立保育所", "食品衛生責任者の変更の手続きを、運営支援・人材育成担当に依頼します。",
        "新責任者 多摩 花子(架空)",
    ]),
    "building-question": text("建築相談 質問書", [
        *APPLICANT, "敷地 川崎市高津区(架空)3-4-5 第一種中高層住居専用地域", "質問 増築部分の採光計算における隣地の扱いについて。",
    ]),
    "tank-removal": text("少量危険物貯蔵取扱所 廃止届出書", [
        "届出者 有限会社たま塗装(架空)", "所在地 川崎市多摩区(架空)6-7-8", "品名 第4類第2石油類 灯油 490リットル",
        "廃止年月日 令和6年5月20日", "処理 タンクを洗浄し、撤去した。",
    ]),
    "proxy": text("委任状", [
        "代理人 行政書士 中原 次郎(架空)", "次の手続きに関する一切の権限を委任します。", "特例屋外広告業届出事項の変更の届出",
        "令和　年　月　日", "委任者 住所", "氏名",
    ]),
}

SHEETS = {
    "preliminary-survey": sheet("様式1", [
        ["調査箇所", "建材", "石綿", "面積 m2"], ["外壁", "窯業系サイディング", "なし(書面)", 120],
        ["天井", "けい酸カルシウム板", "あり(分析)", 36], ["煙突", "断熱材", "なし(目視)", 4],
    ]),
    "waste-reduction": sheet("減量等計画書", [
        ["種類", "発生量 t", "再生利用 t", "処分 t"], ["紙類", 24, 20, 4], ["厨芥類", 18, 3, 15], ["その他", 6, 1, 5],
    ]),
    "guarantee-subsidy": sheet("代位弁済補助金", [
        ["保証番号", "金融機関", "代位弁済額", "補助金額"], ["K-0001", "架空信用金庫", 1200000, 60000],
        ["K-0002", "架空信用組合", 800000, 40000],
    ]),
    "nature-class": sheet("自然教室", [
        ["学校", "学年", "施設", "人数"], ["(架空)第一小", "5年", "八ヶ岳少年自然の家", 101],
        ["(架空)第二小", "6年", "黒川青少年野外活動センター", 87],
    ]),
    "childcare": sheet("一時預かり", [
        ["日付", "園児", "開始", "終了", "備考"], ["5月13日", "A児", "14:00", "17:30", "十日市分園"],
        ["5月14日", "B児", "14:00", "18:00", "予定表のとおり"], ["5月15日", "C児", "13:30", "16:00", "能力開発の日"],
    ]),
    "colours": sheet("色彩計画", [
        ["部位", "材料", "マンセル値", "面積 m2"], ["外壁 基調", "吹付タイル", "10YR 8/1", 420], ["外壁 強調", "磁器質タイル", "5YR 5/2", 36],
        ["屋根", "カラー鋼板", "N4", 180],
    ]),
    "budget": sheet("収支予算", [
        ["科目", "令和5年度決算", "令和6年度予算", "差"], ["管理費収入", 4320000, 4320000, 0], ["修繕積立金", 3240000, 3600000, 360000],
        ["清掃費", 980000, 1010000, 30000],
    ]),
    "daylight": sheet("採光計算", [
        ["室", "床面積 m2", "開口 m2", "採光補正"], ["居間", 16, 4, 2], ["寝室", 10, 2, 3], ["増築部分", 9, 2, 1],
    ]),
    "drainage-calculation": sheet("流量計算", [
        ["区間", "管径 mm", "勾配 1/1000", "延長 m"], ["A-B", 100, 20, 12], ["B-C", 100, 20, 8], ["C-公設桝", 125, 15, 5],
    ]),
    "roster": sheet("利用児名簿", [
        ["番号", "園児", "学年", "利用日数"], [1, "(架空)A児", "年少", 12], [2, "(架空)B児", "年中", 9], [3, "(架空)C児", "年長", 15],
    ]),
    "rent-report": sheet("実績報告書", [
        ["事業所番号", "事業所名", "対象職員数", "補助額"], ["", "", "", ""], ["合計", "", 0, 0],
    ]),
    "facilities": sheet("施設一覧", [
        ["施設番号", "施設名", "区", "定員"], ["01", "(架空)宮前保育園", "宮前区", 60], ["02", "(架空)高津保育園", "高津区", 90],
        ["03", "(架空)幸保育園", "幸区", 75],
    ]),
    "rent-subsidy": sheet("家賃支援", [
        ["職員番号", "氏名", "家賃月額", "補助額"], ["001", "川崎 太郎", 62000, 30000], ["002", "多摩 花子", 58000, 29000],
    ]),
}

SLIDES = {
    "event-outline": slides("かわさき市民音楽祭 企画書", [
        ("かわさき市民音楽祭 企画書", ["主催 かわさき音楽を楽しむ会(架空)", "令和6年10月5日"]),
        ("会場と日程", ["会場 市民館 大ホール", "開場 13時 開演 13時30分"]),
    ]),
    "nature-guide": slides("自然教室のしおり", [
        ("自然教室のしおり", ["川崎市立(架空)小学校 5年", "八ヶ岳少年自然の家 6月3日から5日"]),
        ("持ち物", ["雨具、水筒、軍手、着替え", "薬は保健調査票に書く"]),
    ]),
    "tama-memories": slides("多摩区の思い出", [
        ("多摩区の思い出", ["昭和49年の登戸駅前(架空)"]), ("今", ["同じ場所を令和4年に歩いた。"]),
    ]),
    "donation-plan": slides("寄附事業のご提案", [
        ("寄附事業のご提案", ["株式会社かわさき製作所(架空)", "社外秘"]), ("寄附の内容", ["子育て支援に 100,000円", "従業員の参加"]),
    ]),
}

DRAWINGS = {
    "tank-site": drawing("少量危険物貯蔵取扱所 配置図", 29.7, 21, [
        (3, 3, 22, 14, ""), (5, 5, 8, 6, "工場"), (16, 6, 4, 3, "灯油タンク(撤去)"), (5, 13, 12, 2, "通路 W=4.0m"),
    ]),
    "drainage-a1": drawing("排水設備 平面図", 84.1, 59.4, [
        (2, 2, 80, 55, ""), (8, 10, 30, 24, "台所・浴室"), (44, 10, 20, 24, "便所"), (8, 40, 60, 1, "汚水管 VU100 2/100"),
        (70, 39, 3, 3, "公設桝"), (60, 50, 20, 6, "排水設備 平面図 縮尺 1/50 A1"),
    ]),
}

MACRO = """Option VBASupport 1
Option Explicit
' Adds the three amounts of the active sheet and writes the sum below them.
Sub Goukei()
    With ActiveSheet
        .Range("D5").Value = .Range("D2").Value + .Range("D3").Value + .Range("D4").Value
    End With
End Sub
"""
