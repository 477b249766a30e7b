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


def document(kind, title, head, body):
    """One flat ODF document of `kind` (text, spreadsheet, presentation)."""
    return (
        f'<?xml version="1.0" encoding="UTF-8"?>\n<office:document {NAMESPACES} office:version="1.3"'
        f' office:mimetype="application/vnd.oasis.opendocument.{kind}">'
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
    "rent-subsidy": sheet("家賃支援", [
        ["職員番号", "氏名", "家賃月額", "補助額"], ["001", "川崎 太郎", 62000, 30000], ["002", "多摩 花子", 58000, 29000],
    ]),
}

SLIDES = {
    "event-outline": slides("かわさき市民音楽祭 企画書", [
        ("かわさき市民音楽祭 企画書", ["主催 かわさき音楽を楽しむ会(架空)", "令和6年10月5日"]),
        ("会場と日程", ["会場 市民館 大ホール", "開場 13時 開演 13時30分"]),
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
