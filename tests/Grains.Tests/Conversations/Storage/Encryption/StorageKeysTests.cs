using FsCheck;
using FsCheck.Fluent;
using FsCheck.Xunit;
using Herd.Grains.Conversations.Storage.Encryption;

namespace Herd.Grains.Tests.Conversations.Storage.Encryption;

public sealed class StorageKeysTests
{
    private const string One = "one AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=";
    private const string Two = "two AQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQE=";
    private const string Place = "herd:conversation:t/c\nhead";

    [Property]
    public bool Decrypt_WhatWasEncrypted_IsTheText(NonNull<string> text)
    {
        var keys = StorageKeys.Parse(One);

        return keys.Decrypt(keys.Encrypt(text.Get, Place), Place) == ToUtf8(text.Get);
    }

    [Fact]
    public void Encrypt_SameTextTwice_ShowsNeitherTheTextNorThatItIsTheSame()
    {
        var keys = StorageKeys.Parse(One);
        var (first, second) = (keys.Encrypt("{secret}", Place), keys.Encrypt("{secret}", Place));

        Assert.NotEqual(first, second);
        Assert.DoesNotContain("secret", first, StringComparison.Ordinal);
        Assert.StartsWith("enc1:one:", first, StringComparison.Ordinal);
        Assert.Equal("one", StorageKeys.NameOf(first));
    }

    /// <summary>New records are written with the first key; those of the other are read.</summary>
    [Fact]
    public void Decrypt_KeyWasRotated_ReadsOldAndNew()
    {
        var old = StorageKeys.Parse(One).Encrypt("text", Place);
        var keys = StorageKeys.Parse($"# the new one first\n{Two}\n\n{One}\n");

        Assert.Equal("text", keys.Decrypt(old, Place));
        Assert.Equal("two", StorageKeys.NameOf(keys.Encrypt("text", Place)));
        Assert.Equal(["two", "one"], keys.Names);
    }

    /// <summary>A record that an earlier version wrote.</summary>
    [Fact]
    public void Decrypt_RecordIsNotEncrypted_IsReadAsItIs()
    {
        Assert.Equal("{}", StorageKeys.Parse(One).Decrypt("{}", Place));
        Assert.Equal("{}", StorageKeys.None.Encrypt("{}", Place));
        Assert.Equal("", StorageKeys.None.Current);
    }

    /// <summary>A record of this format. It stays readable.</summary>
    [Fact]
    public void Decrypt_RecordOfFormat1_IsRead() => Assert.Equal(
        "{\"id\":\"c\"}",
        StorageKeys.Parse(One).Decrypt("enc1:one:AAECAwQFBgcICQoLsrOimSex3QQCiwMPwmsggfPpWjYix62a4AU=", Place));

    [Fact]
    public void Decrypt_KeyIsMissing_NamesIt()
    {
        var stored = StorageKeys.Parse(One).Encrypt("text", Place);

        foreach (var keys in new[] { StorageKeys.None, StorageKeys.Parse(Two) })
        {
            var error = Assert.Throws<InvalidDataException>(() => keys.Decrypt(stored, Place));
            Assert.Contains("'one'", error.Message, StringComparison.Ordinal);
        }
    }

    [Fact]
    public void Decrypt_RecordOfAnotherPlace_IsRefused()
    {
        var keys = StorageKeys.Parse(One);
        var stored = keys.Encrypt("text", Place);

        Assert.Throws<InvalidDataException>(() => keys.Decrypt(stored, "herd:conversation:t/d\nhead"));
        Assert.Throws<InvalidDataException>(
            () => StorageKeys.Parse(Two.Replace("two", "one", StringComparison.Ordinal)).Decrypt(stored, Place));
    }

    /// <summary>Whatever single letter of it differs, it is refused, or it is none of the format.</summary>
    [Property]
    public Property Decrypt_ALetterDiffers_IsRefused() => Prop.ForAll(
        Gen.Choose(9, 60).ToArbitrary(),
        at =>
        {
            var keys = StorageKeys.Parse(One);
            var stored = keys.Encrypt("some text", Place).ToCharArray();
            at = Math.Min(at, stored.Length - 4);
            stored[at] = stored[at] == 'A' ? 'B' : 'A';
            return Assert.Throws<InvalidDataException>(() => keys.Decrypt(new string(stored), Place)) is not null;
        });

    [Theory]
    [InlineData("")]
    [InlineData("# nothing")]
    [InlineData("AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=")]
    [InlineData("one AAAA")]
    [InlineData("o:e AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=")]
    [InlineData("one AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA")]
    [InlineData(One + "\n" + One)]
    public void Parse_NoKeys_SaysWhereAndDoesNotRepeatThem(string text)
    {
        var error = Assert.Throws<InvalidDataException>(() => StorageKeys.Parse(text));

        Assert.DoesNotContain("AAAA", error.Message, StringComparison.Ordinal);
    }

    /// <summary>Half surrogates, which no interface accepts, become the replacement character.</summary>
    private static string ToUtf8(string text) =>
        System.Text.Encoding.UTF8.GetString(System.Text.Encoding.UTF8.GetBytes(text));
}
