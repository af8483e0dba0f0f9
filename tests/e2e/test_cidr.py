"""IP-based routing as boto3 sets it up and `dig` sees it, in every region."""

from laptop import EAST, REGIONS, error_code, eventually


def change(client, zone, action, collection, location, address):
    record = {
        "Name": "office.cidr.test",
        "Type": "A",
        "SetIdentifier": location,
        "CidrRoutingConfig": {"CollectionId": collection, "LocationName": location},
        "TTL": 60,
        "ResourceRecords": [{"Value": address}],
    }
    changes = [{"Action": action, "ResourceRecordSet": record}]
    client.change_resource_record_sets(HostedZoneId=zone, ChangeBatch={"Changes": changes})
    return record


def test_clients_are_answered_by_the_block_they_lie_in(near):
    client = near.client("route53", EAST)
    zone = client.create_hosted_zone(Name="cidr.test", CallerReference="cidr")["HostedZone"]["Id"]
    made = client.create_cidr_collection(Name="offices", CallerReference="1")["Collection"]
    collection = made["Id"]

    def put(location, *blocks, action="PUT", **more):
        changes = [{"LocationName": location, "Action": action, "CidrList": list(blocks)}]
        return client.change_cidr_collection(Id=collection, Changes=changes, **more)

    put("wide", "10.0.0.0/8", "2001:db8::/32", CollectionVersion=1)
    changed = put("near", "10.1.0.0/16", CollectionVersion=2)
    assert client.get_change(Id=changed["Id"])["ChangeInfo"]["Id"].endswith(changed["Id"])
    stale = {"LocationName": "near", "Action": "PUT", "CidrList": ["10.2.0.0/16"]}
    code, _ = error_code(
        client.change_cidr_collection, Id=collection, Changes=[stale], CollectionVersion=2
    )
    assert code == "CidrCollectionVersionMismatchException"
    pages = client.get_paginator("list_cidr_blocks")
    blocks = pages.paginate(CollectionId=collection, PaginationConfig={"PageSize": 2})
    blocks = [block for page in blocks for block in page["CidrBlocks"]]
    assert [(block["LocationName"], block["CidrBlock"]) for block in blocks] == [
        ("near", "10.1.0.0/16"),
        ("wide", "10.0.0.0/8"),
        ("wide", "2001:db8::/32"),
    ]
    named = client.list_cidr_locations(CollectionId=collection)["CidrLocations"]
    assert [location["LocationName"] for location in named] == ["near", "wide"]
    listed = client.list_cidr_collections()["CidrCollections"]
    assert [(one["Name"], one["Version"]) for one in listed] == [("offices", 3)]

    records = [
        change(client, zone, "CREATE", collection, location, address)
        for location, address in [("wide", "192.0.2.1"), ("near", "192.0.2.2"), ("*", "192.0.2.3")]
    ]
    sets = client.list_resource_record_sets(HostedZoneId=zone)["ResourceRecordSets"]
    routed = [one["CidrRoutingConfig"] for one in sets if "CidrRoutingConfig" in one]
    assert {"CollectionId": collection, "LocationName": "near"} in routed

    expected = {
        "10.1.3.0/24": ("192.0.2.2", "10.1.3.0/24/16"),
        "10.9.0.0/24": ("192.0.2.1", "10.9.0.0/24/13"),
        "11.0.0.0/24": ("192.0.2.3", "11.0.0.0/24/8"),
        "2001:db8:1::/48": ("192.0.2.1", "2001:db8:1::/48/32"),
    }
    for region in REGIONS:
        for subnet, (address, scope) in expected.items():

            def answered(region=region, subnet=subnet, address=address, scope=scope):
                answer = near.dig(region, "office.cidr.test", f"+subnet={subnet}", check=False)
                return address in answer and f"CLIENT-SUBNET: {scope}" in answer

            eventually(answered)
    test = client.test_dns_answer(
        HostedZoneId=zone,
        RecordName="office.cidr.test",
        RecordType="A",
        EDNS0ClientSubnetIP="10.1.3.4",
    )
    assert test["RecordData"] == ["192.0.2.2"]

    code, _ = error_code(client.delete_cidr_collection, Id=collection)
    assert code == "CidrCollectionInUseException"
    for record in records:
        changes = [{"Action": "DELETE", "ResourceRecordSet": record}]
        client.change_resource_record_sets(HostedZoneId=zone, ChangeBatch={"Changes": changes})
    put("wide", "10.0.0.0/8", "2001:db8::/32", action="DELETE_IF_EXISTS")
    put("near", "10.1.0.0/16", action="DELETE_IF_EXISTS")
    client.delete_cidr_collection(Id=collection)
    code, _ = error_code(client.list_cidr_locations, CollectionId=collection)
    assert code == "NoSuchCidrCollectionException"
    client.delete_hosted_zone(Id=zone)
