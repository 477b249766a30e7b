"""Procedures and the submissions that each lost in May 2024, from the public notice of the City of Kawasaki."""

SUBMISSIONS = {
    "建築確認申請に関する道路相談": 3,
    "ファイル送信フォーム(多摩消防署)": 2,
    "ファイル送信フォーム(川崎消防署)": 2,
    "消費生活相談関係書類の受付フォーム": 5,
    "市民文化局事業等の共催及び後援申請": 3,
    "ごみ収集申込書": 2,
    "代位弁済補助金・保証料補助金交付申請": 4,
    "一般廃棄物準多量排出事業者用「事業系一般廃棄物減量等計画書」送信用フォーム": 3,
    "事前調査結果関連資料提出フォーム": 2,
    "出産応援ギフト申請": 3,
    "子育て応援ギフト申請": 6,
    "自然教室等の実施学年、実施施設等に関する調査": 2,
    "継続貸付に係る在学証明書の提出について": 1,
    "介護職員家賃支援事業補助金実績報告": 3,
    "学校水泳プール排(環)水口点検結果報告フォーム": 2,
    "現況届提出フォーム": 2,
    "ふるさと応援寄附金申込フォーム(企業・団体様用)": 4,
    "産婦健康診査費用助成申請フォーム": 5,
    "小学校交通安全教室 詳細回答フォーム": 2,
    "物価高騰対策給付金(こども加算分)申請書": 1,
    "出産応援ギフトまたは子育て応援ギフトおいて申請不備の連絡を受けた方へ": 2,
    "幼稚園型一時預かり事業提出フォーム": 3,
    "食品衛生等申請システム手続き依頼【公立保育所(直営)→運営支援・人材育成担当】": 3,
    "信用保証協会法第35条関係書類の提出について": 1,
}

# Procedures of the incident of April and May 2022; submissions by procedure were not published, so each counts once.
# Its 消費生活相談関係書類の受付フォーム was hit in 2024 as well and stands above.
OTHERS = {
    "川崎市新本庁舎案内サイン用写真募集": 1,
    "大気汚染防止法に基づく事前調査結果報告に係る関連資料提出": 1,
    "電子版新型コロナワクチン接種証明書の記録の修正手続き": 1,
    "介護サービス事業者等における事故発生時の報告": 1,
    "年間事業実施計画(添付)": 1,
    "新生児聴覚検査事業費用助成申請(償還払い)": 1,
    "川崎市都市景観条例第24条に基づく完了届等": 1,
    "建築確認申請に関する建築相談の受付": 1,
    "開発行為(宅地造成)事前相談書": 1,
    "開発行為計画内容確認書": 1,
    "川崎市マンション管理組合登録・支援制度 登録申請": 1,
    "特例屋外広告業届出事項変更の届出": 1,
    "多摩区制50周年記念思い出写真の募集": 1,
    "排水設備工事完成届": 1,
    "排水設備計画確認申請書": 1,
    "少量危険物等の廃止届": 1,
    "ファイル送信フォーム(幸消防署)": 1,
    "ファイル送信フォーム(麻生消防署)": 1,
}


def weights(attachments):
    """Weight by id: the submissions of each procedure, shared evenly by the legitimate attachments that it receives."""
    shares = {}
    for entry in attachments:
        for procedure in entry.get("procedures", []):
            shares[procedure] = shares.get(procedure, 0) + 1
    known = SUBMISSIONS | OTHERS
    return {
        entry["id"]: round(sum(known[procedure] / shares[procedure] for procedure in entry["procedures"]), 2)
        for entry in attachments if "procedures" in entry
    }
