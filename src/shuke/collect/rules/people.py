"""What the columns of a file of customers hold: identities and attributes, by their names. Pure."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence

from shuke.collect.rules.headers import find_column, plain, plain_forms

__all__ = ["ATTRIBUTES", "GENDERS", "IDENTITIES", "columns_of"]

IDENTITIES: Mapping[str, tuple[str, ...]] = {
    "user_id": ("userid", "uid", "用户id", "用户编号"),
    "email": ("email", "emailaddress", "customeremail", "mail", "邮箱", "电子邮箱", "会员邮箱"),
    "phone": (
        *("phone", "mobile", "mobilephone", "phonenumber", "customerphone", "手机", "手机号", "手机号码", "电话"),
        *("联系电话", "会员手机", "会员手机号", "会员手机号码", "客户手机号", "顾客手机号", "买家手机号"),
    ),
    "unionid": ("unionid", "微信unionid"),
    "external_userid": ("externaluserid", "外部联系人id"),
    "member_number": (
        *("membernumber", "memberid", "memberno", "membercard", "customerid", "customerno", "customernumber"),
        *("客户id", "客户编号", "顾客id", "顾客编号", "会员id", "会员编号", "会员号", "会员卡号", "卡号"),
    ),
    "openid": ("openid", "微信openid"),
}
ATTRIBUTES: Mapping[str, tuple[str, ...]] = {
    "name": ("name", "customername", "fullname", "姓名", "客户姓名", "会员姓名", "顾客姓名"),
    "first_name": ("firstname", "givenname", "名"),
    "last_name": ("lastname", "surname", "familyname", "姓"),
    "nickname": ("nickname", "昵称", "会员昵称"),
    "address": ("address", "streetaddress", "地址", "详细地址", "收货地址"),
    "city": ("city", "城市", "所在城市"),
    "district": ("district", "区", "区县", "县", "所在区县"),
    "province": ("province", "state", "省", "省份", "所在省份"),
    "country": ("country", "国家"),
    "language": ("language", "语言"),
    "birth_date": ("birthdate", "birthday", "dateofbirth", "dob", "生日", "出生日期"),
    "gender": ("gender", "sex", "性别"),
}
GENDERS: Mapping[str, str] = {
    **dict.fromkeys(("f", "female", "女", "女性", "女士"), "female"),
    **dict.fromkeys(("m", "male", "男", "男性", "先生"), "male"),
    **dict.fromkeys(("u", "unknown", "未知", "保密"), "unknown"),
}


def columns_of(
    columns: Sequence[str], *, mapping: Mapping[str, str], defined: Collection[str]
) -> tuple[dict[str, str], dict[str, str]]:
    """The columns of identities and of attributes, by kind and by name.

    What the person gave comes first, then the names above, then attributes that the brand has defined.
    """
    given = {field: columns[at] for field, name in mapping.items() if (at := find_column(name, columns)) is not None}
    attributes = {field: column for field, column in given.items() if field in defined}
    identities = {field: column for field, column in given.items() if field not in defined}
    taken = set(given.values())
    for found, names in ((identities, IDENTITIES), (attributes, ATTRIBUTES)):
        for field, words in names.items():
            column = next((one for one in columns if one not in taken and _is_called(one, words)), None)
            if field not in given and column is not None:
                found[field] = column
                taken.add(column)
    for field in sorted(set(defined) - set(attributes)):
        column = next((one for one in columns if one not in taken and plain(one) == plain(field)), None)
        if column is not None:
            attributes[field] = column
            taken.add(column)
    return identities, attributes


def _is_called(column: str, words: Collection[str]) -> bool:
    return any(form in words for form in plain_forms(column))
