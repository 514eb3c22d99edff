using Herd.Grains.Hosting;
using Herd.Grains.Hosting.Configuration;

namespace Herd.Grains.Tests.Hosting;

public sealed class StoreAddressTests : IDisposable
{
    private readonly string _password = Path.GetTempFileName();

    public void Dispose() => File.Delete(_password);

    [Theory]
    [InlineData("127.0.0.1:6379", false)]
    [InlineData("redis://127.0.0.1:6379", false)]
    [InlineData("rediss://127.0.0.1:6379/", true)]
    [InlineData("127.0.0.1:6379,ssl=true", true)]
    public void Parse_Address_IsPlainOrTls(string address, bool isTls)
    {
        var options = StoreAddress.Parse(address);

        Assert.Equal(("127.0.0.1:6379", isTls), (options.EndPoints.Single().ToString(), options.Ssl));
    }

    [Theory]
    [InlineData("redis://:secret@127.0.0.1:6379")]
    [InlineData("rediss://me:secret@127.0.0.1:6379")]
    [InlineData("127.0.0.1:6379,password=secret")]
    [InlineData("127.0.0.1:6379,user=secret")]
    [InlineData("http://127.0.0.1/secret")]
    [InlineData("ssl=true")]
    [InlineData("127.0.0.1:6379,unheard=secret")]
    public void Validate_SecretOrNoAddress_IsRefusedWithoutRepeatingIt(string address)
    {
        var failures = Failures(new ClusterOptions { Store = address });

        Assert.DoesNotContain("secret", Assert.Single(failures), StringComparison.Ordinal);
    }

    [Fact]
    public void Options_UserPasswordAndTls_AreOfTheFiles()
    {
        File.WriteAllText(_password, " secret\n");

        var options = StoreServices.Options(
            new ClusterOptions { Store = "rediss://h:1", StoreUser = "me", StorePasswordFile = _password });

        Assert.Equal(("me", "secret", true), (options.User, options.Password, options.Ssl));
    }

    [Fact]
    [System.Runtime.Versioning.UnsupportedOSPlatform("windows")]
    public void Validate_FilesOfTheStore_AreChecked()
    {
        File.SetUnixFileMode(_password, UnixFileMode.UserRead | UnixFileMode.OtherRead);

        Assert.Collection(
            Failures(new ClusterOptions { StorePasswordFile = _password, StoreCertificateFile = _password }),
            empty => Assert.Contains("is empty", empty, StringComparison.Ordinal),
            open => Assert.Contains("Set its mode to 600", open, StringComparison.Ordinal),
            certificate => Assert.Contains("is no certificate", certificate, StringComparison.Ordinal));
        Assert.Contains("cannot be read", Assert.Single(
            Failures(new ClusterOptions { StorePasswordFile = "nowhere" })), StringComparison.Ordinal);
        Assert.Contains("needs the password", Assert.Single(
            Failures(new ClusterOptions { StoreUser = "me" })), StringComparison.Ordinal);
    }

    private static List<string> Failures(ClusterOptions options) =>
    [
        .. (new ClusterOptionsValidator().Validate(null, options).Failures ?? [])
            .Where(failure => failure.StartsWith("Cluster:Store", StringComparison.Ordinal)
                || failure.Contains("Cluster:StorePasswordFile", StringComparison.Ordinal)),
    ];
}
