"""Names, towns and telephone patterns of the places the sandbox's people come from."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Town:
    """A place with its postal habits. `#` in `postcode` stands for a digit, `@` for a letter."""

    name: str
    region: str | None
    postcode: str
    latitude: str
    longitude: str
    streets: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Culture:
    """How people of one country are named, reached and addressed."""

    country: str
    weight: int
    dial: str
    phones: tuple[str, ...]
    """National numbers after the country code, `#` for any digit."""
    given: tuple[tuple[str, str], ...]
    """Pairs of how a name is written and how it reads in an e-mail address."""
    family: tuple[tuple[str, str], ...]
    towns: tuple[Town, ...]
    suffixes: tuple[str, ...]
    family_first: bool = False


def _same(*names: str) -> tuple[tuple[str, str], ...]:
    return tuple((name, name.lower().replace(" ", "").replace("'", "").replace("-", "")) for name in names)


def _pairs(text: str) -> tuple[tuple[str, str], ...]:
    """Read `written=latin` words; a word without `=` is its own e-mail form."""
    out: list[tuple[str, str]] = []
    for word in text.split():
        written, _, latin = word.partition("=")
        out.append((written.replace("_", " "), latin or written.lower()))
    return tuple(out)


def _towns(*rows: tuple[str, str | None, str, str, str, str]) -> tuple[Town, ...]:
    return tuple(
        Town(name, region, postcode, latitude, longitude, tuple(streets.split("|")))
        for name, region, postcode, latitude, longitude, streets in rows
    )


CULTURES: tuple[Culture, ...] = (
    Culture(
        "US",
        16,
        "1",
        ("415555####", "212736####", "312642####", "206441####", "512474####"),
        _same(
            "James",
            "Mary",
            "Robert",
            "Linda",
            "Michael",
            "Ava",
            "Ethan",
            "Grace",
            "Jamal",
            "Keisha",
            "Tyler",
            "Megan",
        ),
        _same(
            "Smith",
            "Johnson",
            "Williams",
            "Brown",
            "Nguyen",
            "Garcia",
            "Miller",
            "Davis",
            "Washington",
            "O'Connor",
            "Kowalski",
            "Yazzie",
        ),
        _towns(
            (
                "San Francisco",
                "California",
                "941##",
                "37.7749",
                "-122.4194",
                "Market Street|Valencia Street|Folsom Street",
            ),
            (
                "New York",
                "New York",
                "100##",
                "40.7128",
                "-74.0060",
                "Broadway|West 23rd Street|Mercer Street",
            ),
            ("Austin", "Texas", "787##", "30.2672", "-97.7431", "Congress Avenue|South Lamar Boulevard"),
        ),
        ("Inc", "LLC", "Corp"),
    ),
    Culture(
        "GB",
        10,
        "44",
        ("7400######", "7400######", "2079460###", "1614960###"),
        _same(
            "Oliver",
            "Amelia",
            "Harry",
            "Isla",
            "George",
            "Sian",
            "Rhys",
            "Ailsa",
            "Callum",
            "Priya",
            "Imran",
            "Bronwen",
        ),
        _same(
            "Jones",
            "Taylor",
            "Evans",
            "MacDonald",
            "Patel",
            "Hughes",
            "Thompson",
            "Featherstonehaugh",
            "Khan",
            "Ashworth",
        ),
        _towns(
            (
                "London",
                "England",
                "EC#A #@@",
                "51.5207",
                "-0.0870",
                "Finsbury Square|Curtain Road|Old Street",
            ),
            ("Edinburgh", "Scotland", "EH# #@@", "55.9533", "-3.1883", "Leith Walk|George Street"),
            ("Cardiff", "Wales", "CF## #@@", "51.4816", "-3.1791", "Queen Street|Cathedral Road"),
        ),
        ("Ltd", "plc", "LLP"),
    ),
    Culture(
        "DE",
        8,
        "49",
        ("15112######", "17012#####0", "3024######", "8921######"),
        _pairs(
            "Jürgen=juergen Käthe=kaethe Lukas Anneliese Björn=bjoern Ulrike Matthias Sabine Günther=guenther Frauke"
        ),
        _pairs(
            "Müller=mueller Schäfer=schaefer Weiß=weiss Hoffmann Krüger=krueger Böhm=boehm Schröder=schroeder Vogel von_Größ=vongroess"
        ),
        _towns(
            ("Berlin", "Berlin", "10###", "52.5200", "13.4050", "Torstraße|Karl-Marx-Allee|Oranienstraße"),
            ("München", "Bayern", "80###", "48.1351", "11.5820", "Sendlinger Straße|Leopoldstraße"),
        ),
        ("GmbH", "AG", "GmbH & Co. KG"),
    ),
    Culture(
        "FR",
        7,
        "33",
        ("612######", "142######", "472######"),
        _pairs(
            "Élodie=elodie François=francois Noémie=noemie Jean-Luc=jeanluc Aurélie=aurelie Cédric=cedric Maëlle=maelle Théo=theo"
        ),
        _pairs(
            "Lefèvre=lefevre Dubois Béranger=beranger Girard Chaumeil N'Diaye=ndiaye D'Aubigné=daubigne Le_Gall=legall"
        ),
        _towns(
            (
                "Paris",
                "Île-de-France",
                "750##",
                "48.8566",
                "2.3522",
                "rue de Rivoli|boulevard Voltaire|rue du Faubourg-Saint-Antoine",
            ),
            (
                "Lyon",
                "Auvergne-Rhône-Alpes",
                "6900#",
                "45.7640",
                "4.8357",
                "rue de la République|quai Saint-Vincent",
            ),
        ),
        ("SAS", "SARL", "SA"),
    ),
    Culture(
        "ES",
        6,
        "34",
        ("612######", "91523####", "93412####"),
        _pairs("Iñaki=inaki Begoña=begona José=jose María=maria Álvaro=alvaro Lucía=lucia Jordi Núria=nuria"),
        _pairs(
            "García_López=garcialopez Muñoz=munoz Fernández=fernandez Ibáñez=ibanez Etxeberria Peña=pena Castillo"
        ),
        _towns(
            ("Madrid", "Comunidad de Madrid", "280##", "40.4168", "-3.7038", "Calle de Alcalá|Gran Vía"),
            ("Barcelona", "Catalunya", "080##", "41.3874", "2.1686", "Carrer de Mallorca|Passeig de Gràcia"),
        ),
        ("S.L.", "S.A."),
    ),
    Culture(
        "BR",
        6,
        "55",
        ("119########", "219########", "1132######"),
        _pairs("João=joao Luíza=luiza Thiago Conceição=conceicao Antônio=antonio Beatriz Caetano Jussara"),
        _pairs(
            "Souza Gonçalves=goncalves Araújo=araujo da_Silva_e_Souza=dasilva Nascimento Magalhães=magalhaes Corrêa=correa"
        ),
        _towns(
            ("São Paulo", "SP", "01###-###", "-23.5505", "-46.6333", "Avenida Paulista|Rua Augusta"),
            ("Rio de Janeiro", "RJ", "20###-###", "-22.9068", "-43.1729", "Rua do Ouvidor|Avenida Atlântica"),
        ),
        ("Ltda", "S.A."),
    ),
    Culture(
        "NL",
        4,
        "31",
        ("612######", "20623####"),
        _pairs("Sjoerd Anouk Joost Fleur Daan Willemijn"),
        _pairs("de_Vries=devries van_den_Berg=vandenberg Jansen Bakker 't_Hart=thart Dijkstra"),
        _towns(("Amsterdam", "Noord-Holland", "10## @@", "52.3676", "4.9041", "Keizersgracht|Prinsengracht")),
        ("B.V.", "N.V."),
    ),
    Culture(
        "PL",
        4,
        "48",
        ("512######", "22621####"),
        _pairs("Łukasz=lukasz Małgorzata=malgorzata Wojciech Agnieszka Paweł=pawel Żaneta=zaneta"),
        _pairs(
            "Wiśniewski=wisniewski Wójcik=wojcik Dąbrowska=dabrowska Szczęsny=szczesny Brzęczyszczykiewicz=brzeczyszczykiewicz"
        ),
        _towns(("Kraków", "małopolskie", "31-###", "50.0647", "19.9450", "ulica Floriańska|ulica Długa")),
        ("Sp. z o.o.", "S.A."),
    ),
    Culture(
        "SE",
        4,
        "46",
        ("701######", "8201####0"),
        _pairs("Åsa=asa Göran=goran Linnéa=linnea Björn=bjorn Sören=soren Märta=marta"),
        _pairs("Åkesson=akesson Lindström=lindstrom Öberg=oberg Nyström=nystrom Bergqvist"),
        _towns(("Malmö", "Skåne", "211 ##", "55.6050", "13.0038", "Södergatan|Stora Nygatan")),
        ("AB",),
    ),
    Culture(
        "CZ",
        3,
        "420",
        ("601######", "22481####"),
        _pairs("Jiří=jiri Kateřina=katerina Ondřej=ondrej Zdeňka=zdenka Tomáš=tomas"),
        _pairs("Novák=novak Dvořáková=dvorakova Růžička=ruzicka Příhoda=prihoda"),
        _towns(("Praha", None, "1#0 00", "50.0755", "14.4378", "Vinohradská|Národní třída")),
        ("s.r.o.", "a.s."),
    ),
    Culture(
        "TR",
        3,
        "90",
        ("532#######", "2122#####0"),
        _pairs("İbrahim=ibrahim Şebnem=sebnem Çağlar=caglar Özge=ozge Gülşen=gulsen"),
        _pairs("Yıldız=yildiz Öztürk=ozturk Çelik=celik Gündoğdu=gundogdu"),
        _towns(("İstanbul", "İstanbul", "34###", "41.0082", "28.9784", "İstiklal Caddesi|Bağdat Caddesi")),
        ("A.Ş.", "Ltd. Şti."),
    ),
    Culture(
        "GR",
        2,
        "30",
        ("694#######", "21032#####"),
        _pairs("Γιώργος=giorgos Ελένη=eleni Νίκος=nikos Αικατερίνη=aikaterini"),
        _pairs("Παπαδόπουλος=papadopoulos Οικονόμου=oikonomou Καραγιάννης=karagiannis"),
        _towns(("Αθήνα", "Αττική", "105 ##", "37.9838", "23.7275", "Ερμού|Πανεπιστημίου")),
        ("Α.Ε.", "Ε.Π.Ε."),
    ),
    Culture(
        "UA",
        3,
        "380",
        ("50#######", "67#######"),
        _pairs("Олексій=oleksii Оксана=oksana Тарас=taras Соломія=solomiia Ярослав=yaroslav"),
        _pairs("Шевченко=shevchenko Коваленко=kovalenko Ткачук=tkachuk Мельник=melnyk"),
        _towns(("Київ", None, "010##", "50.4501", "30.5234", "вулиця Хрещатик|Андріївський узвіз")),
        ("ТОВ", "LLC"),
    ),
    Culture(
        "CN",
        5,
        "86",
        ("1381#######", "1591#######", "106255####"),
        _pairs("小明=xiaoming 丽华=lihua 伟=wei 秀英=xiuying 子涵=zihan 浩然=haoran"),
        _pairs("王=wang 李=li 张=zhang 欧阳=ouyang 陈=chen 司马=sima"),
        _towns(
            ("上海", "上海市", "2000##", "31.2304", "121.4737", "南京东路|淮海中路"),
            ("深圳", "广东省", "5180##", "22.5431", "114.0579", "深南大道|科苑路"),
        ),
        ("有限公司", "Co., Ltd."),
        family_first=True,
    ),
    Culture(
        "JP",
        5,
        "81",
        ("901#######", "803#######", "33212####"),
        _pairs("太郎=taro 花子=hanako 健一=kenichi さくら=sakura 翔太=shota 美咲=misaki"),
        _pairs("佐藤=sato 髙橋=takahashi 渡邊=watanabe 小鳥遊=takanashi 鈴木=suzuki"),
        _towns(("東京", "東京都", "10#-00##", "35.6762", "139.6503", "千代田区丸の内|渋谷区神南")),
        ("株式会社", "K.K."),
        family_first=True,
    ),
    Culture(
        "KR",
        3,
        "82",
        ("1045######", "1092######"),
        _pairs("민준=minjun 서연=seoyeon 지훈=jihoon 하은=haeun"),
        _pairs("김=kim 박=park 최=choi 남궁=namgung"),
        _towns(("서울", None, "04###", "37.5665", "126.9780", "테헤란로|을지로")),
        ("주식회사",),
        family_first=True,
    ),
    Culture(
        "IN",
        6,
        "91",
        ("9810######", "9820######", "8048######"),
        _pairs("Aarav Ananya Lakshmi Venkatesh Harpreet अदिति=aditi रोहन=rohan"),
        _pairs("Iyer Krishnamurthy Singh Chattopadhyay Reddy शर्मा=sharma Subramaniam"),
        _towns(
            ("Bengaluru", "Karnataka", "5600##", "12.9716", "77.5946", "MG Road|Residency Road"),
            ("मुंबई", "महाराष्ट्र", "4000##", "19.0760", "72.8777", "मरीन ड्राइव|लिंकिंग रोड"),
        ),
        ("Pvt Ltd", "Ltd"),
    ),
    Culture(
        "VN",
        2,
        "84",
        ("912######", "987######"),
        _pairs("Anh Đức=duc Hương=huong Tuấn=tuan Ngọc=ngoc"),
        _pairs("Nguyễn=nguyen Trần=tran Phạm=pham Đặng=dang"),
        _towns(("Hà Nội", None, "100###", "21.0278", "105.8342", "phố Hàng Bạc|phố Tràng Tiền")),
        ("JSC", "TNHH"),
        family_first=True,
    ),
    Culture(
        "AE",
        4,
        "971",
        ("501######", "552######"),
        _pairs("محمد=mohammed فاطمة=fatima عبدالله=abdullah نورة=noura يوسف=yousef مريم=maryam"),
        _pairs("المنصوري=almansoori الهاشمي=alhashimi خليفة=khalifa النعيمي=alnuaimi"),
        _towns(("دبي", "دبي", "#####", "25.2048", "55.2708", "شارع الشيخ زايد|شارع الوصل")),
        ("ذ.م.م", "FZ-LLC"),
    ),
    Culture(
        "IL",
        3,
        "972",
        ("50412####", "54412####"),
        _pairs("נועה=noa איתן=eitan שירה=shira יהונתן=yehonatan תמר=tamar"),
        _pairs("כהן=cohen לוי=levi מזרחי=mizrahi בן־דוד=bendavid"),
        _towns(("תל אביב", None, "61#####", "32.0853", "34.7818", "שדרות רוטשילד|רחוב אלנבי")),
        ("בע״מ", "Ltd"),
    ),
    Culture(
        "NG",
        4,
        "234",
        ("8031######", "7061######"),
        _pairs("Olúwaṣeun=oluwaseun Chinelo Ngọzi=ngozi Adébáyọ̀=adebayo Ifeoma Tunde"),
        _pairs("Okafor Adéyẹmí=adeyemi Nwachukwu Bello Olatunji"),
        _towns(("Lagos", "Lagos", "10####", "6.5244", "3.3792", "Adeola Odeku Street|Awolowo Road")),
        ("Ltd", "plc"),
    ),
    Culture(
        "ZA",
        2,
        "27",
        ("821######", "214######"),
        _same("Thandiwe", "Pieter", "Lerato", "Anika", "Sipho"),
        _same("Nkosi", "van der Merwe", "Dlamini", "Naidoo", "Botha"),
        _towns(("Cape Town", "Western Cape", "800#", "-33.9249", "18.4241", "Long Street|Bree Street")),
        ("(Pty) Ltd",),
    ),
    Culture(
        "IS",
        1,
        "354",
        ("611####", "5512###"),
        _pairs("Björk=bjork Þorsteinn=thorsteinn Ásdís=asdis Guðrún=gudrun"),
        _pairs("Jónsdóttir=jonsdottir Sigurðsson=sigurdsson Þórarinsdóttir=thorarinsdottir"),
        _towns(("Reykjavík", None, "10#", "64.1466", "-21.9426", "Laugavegur|Skólavörðustígur")),
        ("ehf.",),
    ),
    Culture(
        "TH",
        1,
        "66",
        ("812######", "891######"),
        _pairs("สมชาย=somchai พิมพ์ชนก=phimchanok ณัฐวุฒิ=natthawut"),
        _pairs("ใจดี=jaidee รัตนโกสินทร์=rattanakosin"),
        _towns(("กรุงเทพมหานคร", None, "10###", "13.7563", "100.5018", "ถนนสุขุมวิท|ถนนสีลม")),
        ("จำกัด",),
    ),
)
