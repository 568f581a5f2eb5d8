use super::*;
use proptest::prelude::*;

fn reach(entries: &[&str]) -> Reach {
    Reach::parse(entries).expect("entries that can be read")
}

fn address(text: &str) -> IpAddr {
    text.parse().expect("an address")
}

#[test]
fn ranges_read_as_they_are_written() {
    let written = ["10.1.0.0/16", "127.0.0.1/32", "fd00::/8", "0.0.0.0/0"];
    let read = reach(&[&["vault.example.com", ".vault.azure.net"], &written[..]].concat());
    assert_eq!(read.ranges(), written);
    assert_eq!(reach(&["127.0.0.1", "::1"]).ranges(), ["127.0.0.1/32", "::1/128"]);
}

#[test]
fn only_public_addresses_are_reached_unless_a_range_lists_them() {
    let rows = [
        ("an address of the Internet", "20.42.1.9", true),
        ("beside a private range", "172.32.0.1", true),
        ("the machine itself", "127.0.0.1", false),
        ("the machine itself, another way", "127.1.2.3", false),
        ("no address", "0.0.0.0", false),
        ("private, large", "10.96.0.1", false),
        ("private, middle", "172.31.255.255", false),
        ("private, small", "192.168.1.1", false),
        ("behind a carrier's translation", "100.64.0.1", false),
        ("metadata of most clouds", "169.254.169.254", false),
        ("metadata of Amazon's tasks", "169.254.170.2", false),
        ("Azure's own address for machines", "168.63.129.16", false),
        ("its neighbour", "168.63.129.17", true),
        ("documentation", "203.0.113.7", false),
        ("benchmarks", "198.19.0.1", false),
        ("several receivers", "224.0.0.1", false),
        ("everybody", "255.255.255.255", false),
        ("metadata of Alibaba's cloud", "100.100.100.200", false),
        ("an address of the Internet, version 6", "2603:1030::1", true),
        ("the machine itself, version 6", "::1", false),
        ("no address, version 6", "::", false),
        ("on the link, version 6", "fe80::1", false),
        ("private, version 6", "fd12:3456::1", false),
        ("metadata of Amazon, version 6", "fd00:ec2::254", false),
        ("documentation, version 6", "2001:db8::1", false),
        ("a tunnel that holds a private address", "2002:a00:1::", false),
        ("Teredo", "2001:0:4136:e378::1", false),
        ("several receivers, version 6", "ff02::1", false),
        (
            "version 4 in version 6's clothes",
            "::ffff:169.254.169.254",
            false,
        ),
        ("the same of the Internet", "::ffff:20.42.1.9", true),
        ("behind a translator, private", "64:ff9b::a9fe:a9fe", false),
        ("behind a translator, of the Internet", "64:ff9b::142a:109", true),
        ("behind a local translator", "64:ff9b:1::1", false),
    ];
    for (case, text, expected) in rows {
        assert_eq!(Reach::default().allows_address(address(text)), expected, "{case}");
        assert!(reach(&[text]).allows_address(address(text)), "{case}, listed");
        assert!(
            !Reach::default().lists(address(text)),
            "{case}: nothing is listed"
        );
    }
}

#[test]
fn a_range_holds_what_is_in_it_and_nothing_else() {
    let rows = [
        ("inside", "10.1.0.0/16", "10.1.255.1", true),
        ("outside", "10.1.0.0/16", "10.2.0.0", false),
        (
            "written with bits that don't count",
            "10.1.2.3/16",
            "10.1.9.9",
            true,
        ),
        ("one address", "10.1.2.3", "10.1.2.4", false),
        ("all of version 4", "0.0.0.0/0", "169.254.169.254", true),
        ("all of version 4 is none of version 6", "0.0.0.0/0", "::1", false),
        ("all of version 6 is none of version 4", "::/0", "10.0.0.1", false),
        (
            "version 4 in version 6's clothes",
            "10.0.0.0/8",
            "::ffff:10.0.0.1",
            true,
        ),
        ("version 6", "fd00::/8", "fd12::1", true),
        ("version 6, outside", "fd00::/16", "fd12::1", false),
    ];
    for (case, range, text, expected) in rows {
        assert_eq!(reach(&[range]).allows_address(address(text)), expected, "{case}");
    }
}

#[test]
fn a_host_is_allowed_by_its_name_or_by_a_suffix() {
    let list = reach(&[
        ".vault.azure.net",
        "*.corp.example",
        "vault.example.com",
        "10.0.0.0/8",
    ]);
    let rows = [
        ("by its suffix", "sales.vault.azure.net", true),
        ("by its suffix, written with a star", "a.b.corp.example", true),
        ("by its name", "vault.example.com", true),
        ("below a name", "evil.vault.example.com", false),
        ("the suffix alone", "vault.azure.net", false),
        (
            "the suffix in another's middle",
            "sales.vault.azure.net.evil.com",
            false,
        ),
        ("ends alike, at no dot", "xvault.example.com", false),
        (
            "looks like another, encoded",
            "xn--sles-5cd.vault.azure.net",
            false,
        ),
        (
            "encoded further in front",
            "a.xn--sles-5cd.vault.azure.net",
            false,
        ),
        ("nothing", "", false),
        ("no label before the suffix", ".vault.azure.net", false),
    ];
    for (case, host, expected) in rows {
        assert_eq!(list.allows_host(host), expected, "{case}");
    }
    let encoded = reach(&["xn--tresor-9xa.example"]);
    assert!(
        encoded.allows_host("xn--tresor-9xa.example"),
        "an encoded name that the list holds itself"
    );
    assert_eq!(
        list.names(),
        ["vault.example.com", "*.vault.azure.net", "*.corp.example"]
    );
}

#[test]
fn an_entry_that_is_no_host_and_no_range_is_refused() {
    let rows = [
        ("a URL", "https://vault.example.com"),
        ("a path", "vault.example.com/x"),
        ("a port", "vault.example.com:8200"),
        ("everything", "*"),
        ("a star in the middle", "vault.*.com"),
        ("a dot alone", "."),
        ("no such prefix", "10.0.0.0/33"),
        ("no such prefix, signed", "10.0.0.0/+8"),
        ("four in six's clothes, and more than these", "::ffff:10.0.0.0/95"),
        ("no such prefix of six", "fd00::/129"),
        ("half an address", "10.0.0"),
        ("other letters", "väult.example.com"),
        ("an empty label", "vault..com"),
        ("too long", &"a.".repeat(200)),
    ];
    for (case, entry) in rows {
        assert!(Reach::parse([entry]).is_err(), "{case}");
    }
    assert_eq!(reach(&["", "  "]), Reach::default(), "empty entries say nothing");
}

proptest! {
    #[test]
    fn a_range_holds_exactly_the_addresses_that_share_its_front(network: u32, other: u32, prefix in 0u32..=32) {
        let range: Range = format!("{}/{prefix}", Ipv4Addr::from(network)).parse().expect("a range");
        let same = prefix == 0 || network >> (32 - prefix) == other >> (32 - prefix);
        prop_assert_eq!(range.contains(Ipv4Addr::from(other).into()), same);
        prop_assert_eq!(range.contains(Ipv4Addr::from(other).to_ipv6_mapped().into()), same);
    }

    #[test]
    fn a_range_in_sixs_clothes_is_the_same_range(network: u32, prefix in 0u8..=32) {
        let network = Ipv4Addr::from(network);
        let four: Range = format!("{network}/{prefix}").parse().expect("a range");
        let mapped: Range = format!("{}/{}", network.to_ipv6_mapped(), prefix + 96).parse().expect("a range");
        prop_assert_eq!(four, mapped);
    }

    #[test]
    fn an_address_is_as_public_in_other_clothes(four: u32) {
        let four = Ipv4Addr::from(four);
        prop_assert_eq!(is_public(four.into()), is_public(four.to_ipv6_mapped().into()));
    }
}
